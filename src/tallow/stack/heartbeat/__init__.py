"""The heartbeat checker: notifies without Alertmanager when the Watchdog alert stops arriving."""
