"""Events with their dates, rooms, tracks, teams and calls for talks."""
