"""The OpenAPI document: flask-smorest's description of the views, completed with access, errors and headers."""
