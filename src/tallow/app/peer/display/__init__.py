"""How a command shows a transfer: on a terminal, or as JSON for scripts. Output never holds it up."""
