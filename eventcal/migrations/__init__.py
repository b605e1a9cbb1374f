"""The numbered steps from one schema to the next; `kit/migrate.py` runs them.

A migration stands alone: it imports nothing from eventcal, for the code goes on and the step must not. Only
`env.py` does, to compare a database with the models.
"""
