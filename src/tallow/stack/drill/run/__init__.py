"""How drills go."""
