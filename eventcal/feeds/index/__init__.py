"""Stored entries, updated in the transaction of the change that they show."""
