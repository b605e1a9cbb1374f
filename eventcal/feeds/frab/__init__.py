"""Schedules in the format of frab, which conference apps read."""
