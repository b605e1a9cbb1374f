"""The outbox: messages to send, stored in the transaction that causes them."""
