"""Benchmarks of speed and memory against comparable libraries and programs: ``scripts/bench``."""
