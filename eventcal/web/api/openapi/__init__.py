"""The OpenAPI document. `build` creates openapi.json in development, and `document` loads the file at run time."""
