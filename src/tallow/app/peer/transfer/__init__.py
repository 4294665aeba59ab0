"""One transfer between two peers: manifest, files, resume state, progress, outcome."""
