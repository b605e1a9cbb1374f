"""Pages for organisers and moderators: submissions, the schedule, the event form and publishing."""
