"""A channel over a TCP connection between the two peers."""
