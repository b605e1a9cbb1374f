"""A member's own pages: their talks, and what is theirs alone."""
