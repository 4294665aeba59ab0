"""HTTP responses, WebSockets, messages and uvicorn, below the endpoints."""
