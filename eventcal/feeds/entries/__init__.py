"""From an event, a talk or a call for talks to a CalendarEntry."""
