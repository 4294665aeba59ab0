"""Rate limits, and limits on what peers may report."""
