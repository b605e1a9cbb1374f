"""From a CalendarEntry to the text of a format."""
