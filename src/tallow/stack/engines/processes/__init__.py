"""Child processes: one implementation of start, stop, kill and log tail for the supervisor and the drills."""
