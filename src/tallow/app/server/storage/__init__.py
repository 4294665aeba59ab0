"""The server's database: its schema, and the stores of rooms and of counted outcomes."""
