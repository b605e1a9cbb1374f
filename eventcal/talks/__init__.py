"""Contributions to events and the steps they go through."""
