"""Talks at events and their state changes."""
