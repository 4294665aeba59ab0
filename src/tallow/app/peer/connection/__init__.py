"""How a peer reaches the other one: room session, signaling, channel, handshake, retries."""
