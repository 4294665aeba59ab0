"""Checks of drills: where notifications must arrive, what they must say, and the runbooks' commands."""
