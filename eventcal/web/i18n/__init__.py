"""The language of a request, and messages in it."""
