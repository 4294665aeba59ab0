"""The scrubber's data: key names, status words, syntaxes, commands, detectors and issuers' keys."""
