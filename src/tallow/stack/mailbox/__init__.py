"""The local mailbox: an SMTP server, and a reader of the stored messages."""
