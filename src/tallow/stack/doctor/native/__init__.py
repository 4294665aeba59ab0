"""The checks of a native stack."""
