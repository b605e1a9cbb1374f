"""Uploaded pictures: decoding, re-encoding and storage."""
