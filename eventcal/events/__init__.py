"""Gatherings: their days, rooms, tracks, team and call for talks."""
