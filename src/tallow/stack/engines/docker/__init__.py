"""The Docker engine: starts, stops, reloads and purges a stack of containers with Docker Compose."""
