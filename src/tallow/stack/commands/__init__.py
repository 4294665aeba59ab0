"""The `tallow` commands of the stack, one module each."""
