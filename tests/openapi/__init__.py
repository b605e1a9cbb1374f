"""Building, checking and fuzzing with the OpenAPI document."""
