"""Numbered Alembic migrations, run by `kit/migrate.py`.

Migrations must not import from eventcal, because models change after a migration is released. Only `env.py` imports the
models, for comparison with the database.
"""
