"""The state folder of a stack: its marker, its options and its locks."""
