"""Transfer rooms: state, storage, cache, tokens, metrics."""
