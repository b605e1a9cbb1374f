"""The outbox: messages to send, stored in the transaction of the change that triggers them."""
