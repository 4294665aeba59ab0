"""Several workers of one server: their samples in shared files, and how they are combined."""
