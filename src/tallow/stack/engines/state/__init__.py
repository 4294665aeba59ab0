"""The state folder: its marker, layout, locks and removal."""
