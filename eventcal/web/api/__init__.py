"""The JSON API under /api/v1, with one module for each kind of resource."""
