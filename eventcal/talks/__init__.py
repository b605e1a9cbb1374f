"""Talks, and changes to the states of talks."""
