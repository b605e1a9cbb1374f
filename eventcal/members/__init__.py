"""Members, who can sign in, with their roles, sessions, tokens and secret feeds."""
