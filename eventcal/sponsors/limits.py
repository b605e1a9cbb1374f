"""How long the texts and lists of sponsors and tiers may be, and the last rank of a tier."""

NAME, DESCRIPTION = 200, 2000
TIER_NAME, RANK = 100, 1000
BENEFIT, BENEFITS = 300, 50
NOTE = 2000
"""The most characters in the note of a sponsorship."""
