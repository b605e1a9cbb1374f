"""The OpenAPI document: what flask-smorest knows of the views, and all that follows from what they are."""
