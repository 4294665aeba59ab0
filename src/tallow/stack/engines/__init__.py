"""Running the stack: its state folder, programs, services, supervisor, and changes of its settings."""
