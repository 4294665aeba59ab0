"""Rooms: state, database, cache, tokens and metrics."""
