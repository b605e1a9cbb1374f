"""The OpenAPI document, which adds access rules, errors and headers to flask-smorest's description of the views."""
