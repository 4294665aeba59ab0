"""Files on this machine: what is sent, where it arrives, and names that stay where they belong."""
