"""How long a speaker's texts and lists may be."""

NAME, JOB_TITLE, AFFILIATION, BIO = 200, 200, 200, 10_000
LINK_TITLE, LINKS = 100, 10
