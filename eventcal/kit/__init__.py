"""What every floor stands on: clock, database, refusals, paging, text. Knows nothing of events."""
