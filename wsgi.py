"""WSGI entry point for gunicorn, uWSGI and mod_wsgi.

`eventcal serve` does not use this file, because it creates the app in each worker process.
"""

from eventcal.app import create_worker_app

app = create_worker_app()
