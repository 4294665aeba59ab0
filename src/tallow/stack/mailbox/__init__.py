"""The local mailbox: an SMTP server and the reader of what it kept."""
