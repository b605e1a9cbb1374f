"""The OpenAPI document of this installation, loaded from the file that `make openapi` creates."""

import re
from importlib import resources
from urllib.parse import urlsplit

import orjson

from eventcal import __version__
from eventcal.config import Settings
from eventcal.web.params.feed_check import SCHEMES
from eventcal.web.request.session_cookie import session_cookie_name
from eventcal.web.schemas.response_schema import Json


def load_openapi_document(settings: Settings) -> Json:
    """Return the OpenAPI document, completed with the values that depend on the settings and the version."""
    document: Json = orjson.loads((resources.files(__package__) / "openapi.json").read_bytes())
    document["info"] |= {"title": f"{settings.name} API", "version": __version__}
    document["servers"] = [{"url": settings.base_url, "description": settings.name}]
    document["components"]["securitySchemes"]["session"]["name"] = session_cookie_name(settings)
    # The feed check accepts only URLs of this installation.
    place = re.sub(r"[.\[\]]", r"\\\g<0>", urlsplit(settings.base_url).netloc)
    [url, *_] = document["paths"]["/feeds/check"]["get"]["parameters"]
    url["schema"]["pattern"] = rf"^({'|'.join(SCHEMES)})://{place}([/?#].*)?$"
    return document
