"""The observability library: metrics, logs, errors, analytics and health behind one privacy scrubber."""
