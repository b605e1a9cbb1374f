"""Serving cached documents, in front of Flask and behind it."""
