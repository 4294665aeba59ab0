"""Ways to run the stack: programs of this machine under supervision (native)."""
