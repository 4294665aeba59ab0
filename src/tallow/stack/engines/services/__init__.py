"""The services of a stack: definitions, addresses, health, state, and requests to their supervisor."""
