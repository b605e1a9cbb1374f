"""The page and the JSON that explain why a calendar does not update."""
