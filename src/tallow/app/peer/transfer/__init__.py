"""One transfer as a peer sees it: manifest, files, resume state, progress, outcome."""
