"""The native engine: starts, stops, upgrades and purges a stack of programs of this machine."""
