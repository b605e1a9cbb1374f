"""Parsing of query strings: parameter fields, filters and listings."""
