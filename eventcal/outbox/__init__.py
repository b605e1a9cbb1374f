"""What must be sent, written in the transaction that caused it."""
