"""Where drills take place."""
