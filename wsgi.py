"""WSGI entry point for gunicorn, uWSGI and mod_wsgi.

`eventcal serve` does not use this file, because it creates the app in each worker process.
"""

from eventcal.cli.server import load_worker_app

app = load_worker_app()
