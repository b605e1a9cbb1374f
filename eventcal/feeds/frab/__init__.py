"""Conference schedules in the frab format, which conference apps read."""
