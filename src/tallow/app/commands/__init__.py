"""The verbs of the command line that belong to Tallow itself."""
