"""Serializers for calendar entries, with one module for each format."""
