"""The state of a request: its unit of work, idempotency key, rate limits and session."""
