"""Data sets: reading them from files, validation and loading."""
