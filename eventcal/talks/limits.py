"""Size limits for the fields of a talk, and the maximum duration of a talk in minutes."""

TITLE, ABSTRACT, NOTES, REASON = 200, 20_000, 5000, 2000
SPEAKERS = 20
MINUTES = 24 * 60
DECISION = 200
