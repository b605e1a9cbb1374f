"""Serializers for calendar entries, one module per format."""
