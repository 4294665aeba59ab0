"""Reloading settings: they are validated together, and every service accepts them or none does."""
