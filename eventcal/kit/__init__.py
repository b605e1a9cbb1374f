"""General utilities that do not depend on other packages: clock, database, errors, pagination and text."""
