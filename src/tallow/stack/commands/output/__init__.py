"""How the commands of the stack show their results."""
