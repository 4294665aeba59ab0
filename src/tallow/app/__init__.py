"""Tallow itself: server and peers of an end-to-end encrypted file transfer."""
