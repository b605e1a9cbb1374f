"""HTML pages, which are rendered on the server and work without JavaScript."""

from flask import Flask
from werkzeug.utils import find_modules, import_string

from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import render_problem_as_html


def register_pages(app: Flask) -> None:
    """Import all modules of this package, which define the views of the blueprint, and register the blueprint."""
    for name in find_modules(__name__, recursive=True):
        import_string(name)
    app.register_blueprint(pages)
    app.after_request(render_problem_as_html)
