"""HTTP responses, WebSockets and messages, below the endpoints."""
