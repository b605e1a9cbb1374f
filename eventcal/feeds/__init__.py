"""Things become calendar bytes here, and only here."""
