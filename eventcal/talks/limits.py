"""How long a talk's texts and lists may be, and how many minutes it may last."""

TITLE, ABSTRACT, NOTES, REASON = 200, 20_000, 5000, 2000
SPEAKERS = 20
MINUTES = 24 * 60
