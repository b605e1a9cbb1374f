"""Recurrence rules, overrides and occurrences of events."""
