"""Limits on what one client can use, and validation of telemetry reports."""
