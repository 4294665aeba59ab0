"""The Tallow server: rooms, signaling, relay and telemetry. It handles only ciphertext and random ids."""
