"""The HTTP layer: the web pages, the JSON API and the feeds."""
