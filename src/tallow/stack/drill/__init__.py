"""Fire drills: a real fault in a real stack, seen to arrive where people are told, healed and resolved."""
