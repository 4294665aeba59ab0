"""Running drills: what a drill is, its steps, its result, and many drills at once."""
