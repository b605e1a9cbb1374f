"""The feed endpoints."""
