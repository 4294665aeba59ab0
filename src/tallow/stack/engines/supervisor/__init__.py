"""The process that starts, watches and restarts the native engine's programs."""
