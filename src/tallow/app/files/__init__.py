"""Files of this machine: those to send, the destination folder, and safe names."""
