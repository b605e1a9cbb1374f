"""What belongs to one request: its unit of work, idempotency key, rate limits and session state."""
