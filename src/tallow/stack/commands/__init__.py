"""The verbs of the stack, one module each."""
