"""Schemas of JSON request and response bodies."""
