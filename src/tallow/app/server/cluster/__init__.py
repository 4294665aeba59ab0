"""Several processes and instances: which one owns a room, and how a request gets there."""
