"""Maximum lengths of the text fields and lists of speakers."""

NAME, JOB_TITLE, AFFILIATION, BIO = 200, 200, 200, 10_000
LINK_TITLE, LINKS = 100, 10
