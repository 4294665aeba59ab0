"""The two peers of a transfer: what ``tallow send`` and ``tallow receive`` run."""
