"""How commands show what they found on a terminal."""
