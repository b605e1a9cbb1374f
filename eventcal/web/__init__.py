"""The HTTP layer: pages, API, feeds."""
