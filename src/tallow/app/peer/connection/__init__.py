"""The connection between two peers: signaling, choice of a channel, handshake, retries."""
