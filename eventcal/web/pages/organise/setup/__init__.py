"""Rooms, tracks, tiers, sponsors and team of an event."""
