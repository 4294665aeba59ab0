"""Removes metadata from pictures before they are sent."""
