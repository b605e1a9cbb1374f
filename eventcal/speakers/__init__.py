"""Speakers of talks."""
