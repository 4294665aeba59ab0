"""Clients of the running stack's HTTP APIs."""
