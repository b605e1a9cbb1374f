"""Maximum lengths of a speaker's texts and lists."""

NAME, JOB_TITLE, AFFILIATION, BIO = 200, 200, 200, 10_000
LINK_TITLE, LINKS = 100, 10
