"""The most characters that texts have which more than one shape takes."""

TITLE, SUMMARY, PLACE_NAME = 200, 1000, 200
