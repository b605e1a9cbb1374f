"""Recurring events: rules, overrides and occurrences."""
