"""Reading, filtering and rotating the services' log files."""
