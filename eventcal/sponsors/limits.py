"""Maximum lengths of the text fields and lists of sponsors and tiers, and the maximum rank of a tier."""

NAME, DESCRIPTION = 200, 2000
TIER_NAME, RANK = 100, 1000
BENEFIT, BENEFITS = 300, 50
NOTE = 2000
