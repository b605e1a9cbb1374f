"""A member's own pages: their talks, agenda, account and security."""
