"""Several server processes: which one owns a room, and how requests get there."""
