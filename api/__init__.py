"""The listening process: HTTP, WebSocket, sessions, uploads, GraphiQL, health."""
