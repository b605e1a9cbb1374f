"""WSGI entry point for gunicorn, uWSGI and mod_wsgi: create the app from the settings.

`eventcal serve` does not need this file: it creates the app in each of its workers (`eventcal/cli/server.py`).
"""

from eventcal.cli.server import load_worker_app

app = load_worker_app()
