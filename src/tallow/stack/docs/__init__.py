"""Generators of the committed documents."""
