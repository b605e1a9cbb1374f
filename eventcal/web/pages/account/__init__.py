"""Signing in, registering, and links sent by email."""
