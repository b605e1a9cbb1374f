"""Uploaded images: decoding, re-encoding and storage."""
