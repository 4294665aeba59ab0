"""Other libraries and servers: the clients through which requests leave the process."""
