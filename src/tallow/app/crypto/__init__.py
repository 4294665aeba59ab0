"""Protocol version 2 without I/O: key derivation, handshake, frames and their order (docs/protocol.md)."""
