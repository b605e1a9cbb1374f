"""General utilities that do not depend on other eventcal packages: clock, database, errors, pagination and text."""
