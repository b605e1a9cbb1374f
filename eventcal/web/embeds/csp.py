"""What a browser is told of the pages here: who may frame them, and what they may frame."""

from flask import Blueprint

from eventcal.web.rendering.page import CONTENT_SECURITY_POLICY

embeds = Blueprint("embeds", __name__)

FRAMED = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *"
"""The policy of a page that any site may show in a frame; otherwise it may do less than others."""

FRAMING = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
"""The policy of a page that shows frames of ours."""
