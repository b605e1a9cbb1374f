"""Pages for the current member: talks, agenda, account and security."""
