"""Reports of drills: a table for the terminal, and the tables of docs/drills.md."""
