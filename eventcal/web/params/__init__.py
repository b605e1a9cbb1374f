"""Parsing of query strings: fields, filters and listings."""
