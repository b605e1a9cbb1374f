"""General utilities, such as the clock, the database, errors, pagination and text. No other package is imported."""
