"""Start, fork, threads and shutdown of the process that is monitored."""
