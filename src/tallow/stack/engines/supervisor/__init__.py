"""The supervisor: the process that starts the programs of a stack, checks them and restarts them."""
