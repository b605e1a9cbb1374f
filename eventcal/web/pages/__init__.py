"""HTML pages, rendered on the server from the same data and with the same cache as feeds. They work without scripts."""

from flask import Flask
from werkzeug.utils import find_modules, import_string

from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import render_problem_as_html


def register_pages(app: Flask) -> None:
    """Register the blueprint of the pages. Importing a module of this package adds its views to the blueprint."""
    for name in find_modules(__name__, recursive=True):
        import_string(name)
    app.register_blueprint(pages)
    app.after_request(render_problem_as_html)
