"""The HTTP and WebSocket endpoints of the server."""
