"""The endpoints that serve feeds."""
