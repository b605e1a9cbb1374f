"""The worker that sends what the outbox holds."""
