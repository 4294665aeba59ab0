"""Tallow: server and peers of an end-to-end encrypted file transfer. The application under observation."""
