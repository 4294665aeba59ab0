"""Checks of PromQL expressions against the catalogue."""
