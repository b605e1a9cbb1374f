"""Utilities that every package uses: clock, database, errors, paging and text. They do not depend on events."""
