"""The pages of whoever organises an event, and of moderators: what waits, the programme, what subscribers will see."""
