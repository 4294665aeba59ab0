"""What drills look at."""
