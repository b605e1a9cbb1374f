"""Conversion of events, talks and calls for talks to calendar entries."""
