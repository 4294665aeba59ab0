"""Fork, threads, shutdown and unhandled errors of the monitored process."""
