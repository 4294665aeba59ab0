"""Quick checks that spare most texts most rules: which rows can match, and which names can be known."""
