"""Member accounts, and the roles, sessions, access tokens and secret feeds of members."""
