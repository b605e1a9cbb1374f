"""Parsing, validation and loading of data sets."""
