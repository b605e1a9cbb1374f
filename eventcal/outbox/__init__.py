"""The outbox: messages to send, stored in the same transaction as the change that triggers them."""
