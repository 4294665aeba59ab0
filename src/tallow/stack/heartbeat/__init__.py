"""The heartbeat checker: pages by its own path when Watchdog stays away, for then nobody else can."""
