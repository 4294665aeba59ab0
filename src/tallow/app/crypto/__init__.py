"""Protocol version 1 without I/O: keys, handshake, frames and their order (docs/protocol.md)."""
