"""Size limits for the fields of an event."""

TITLE, SUMMARY, DESCRIPTION = 200, 1000, 20_000
TAG, TAGS = 50, 20
VENUE, ADDRESS, CITY, REGION = 200, 500, 200, 200
LATITUDE, LONGITUDE = 90, 180
SERIES, RECURRENCE = 80, 500
CO_LOCATIONS = 20
"""Maximum number of events with which an event can be co-located."""
CALL_TIME, CALL_KINDS, CALL_NOTE = 40, 8, 2000
PART_NAME = 100
"""Maximum length of the name of a track or room."""
