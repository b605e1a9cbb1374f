"""WSGI entry point for gunicorn, uWSGI and mod_wsgi: read the settings, create the app, freeze what was loaded.

`eventcal serve` does not need this file: it creates the app in each of its workers (`eventcal/cli/serving.py`).
"""

from eventcal.cli.serving import load_app

app = load_app()
