"""People who can sign in, their roles, tokens and secret feed addresses."""
