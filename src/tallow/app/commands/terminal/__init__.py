"""What commands ask at the terminal, read from standard input and write to standard output."""
