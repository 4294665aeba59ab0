"""Faults: injected from outside where possible, otherwise with the fault switches of server and peers."""
