"""The feed check: a page and a JSON resource that explain why a calendar does not update."""
