"""Channels between two peers: one interface, implemented over WebRTC and over Tallow's relay."""
