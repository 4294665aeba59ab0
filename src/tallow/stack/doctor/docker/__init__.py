"""The checks of a stack of containers on this machine."""
