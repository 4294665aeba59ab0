"""The Tallow server: rooms, signaling, relay and client telemetry. It sees ciphertext and random ids only."""
