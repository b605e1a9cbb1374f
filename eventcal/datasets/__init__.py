"""Data sets: read from a file, checked whole, loaded whole."""
