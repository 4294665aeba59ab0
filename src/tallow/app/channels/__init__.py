"""Ways across: one interface, two channels."""
