"""Uploaded pictures, and how database rows refer to them.

Rows store the path of an uploaded picture, so that BASE_URL may change, and the URL of an external picture.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.refusals import FieldError, Message, raise_if_invalid
from eventcal.media.gallery import MediaStore
from eventcal.media.picture import ImageSpec, Picture, reencode_picture
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.request.context import links, now, settings
from eventcal.web.request.rate_limits import count_picture

P = ParamSpec("P")
R = TypeVar("R")

PATH = "/media/"
"""The path prefix of uploaded pictures."""


def gallery() -> MediaStore:
    """Return the picture store of this installation."""
    return MediaStore(settings().media_folder)


def own_path(kept: str | None) -> str | None:
    """Return the path if it is that of an uploaded picture, else None. Pages show only uploaded pictures."""
    return kept if kept is not None and kept.startswith(PATH) else None


def read_upload(raw: bytes, frame: ImageSpec) -> Picture:
    """Decode a picture uploaded by the current user. Raises TooManyRequests or UnsupportedImage."""
    count_picture(current_member_id())
    return reencode_picture(raw, frame)


def store_upload(picture: Picture) -> str:
    """Store a picture and return its path. Call it within the unit of work that saves the path."""
    return f"{PATH}{gallery().save(picture, now=now())}"


def normalise_photo_url(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Replace the URL of an uploaded picture by its path in the field `name`. Raises Invalid if it does not exist."""
    url = fields.get(name)
    ours = f"{links().base}{PATH}"
    if url is None or not url.startswith(ours):
        return dict(fields)
    found = url.removeprefix(ours)
    if not gallery().exists(found):
        raise_if_invalid([FieldError(f"/{name}", Message("names no picture that is here; upload it first"))])
    return {**fields, name: f"{PATH}{found}"}


def referenced_files(session: Session) -> set[str]:
    """Return the file names of all uploaded pictures that database rows refer to."""
    urls = [
        url for column in (Speaker.photo_url, Sponsor.logo_url) for url in session.scalars(select(column).distinct())
    ]
    return {url.removeprefix(PATH) for url in urls if url is not None and own_path(url)}


def takes_up_to(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that lets a view accept request bodies of up to `size` bytes.

    Apply it outside the permission decorator, which reads the CSRF token from the body of a form.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def read(*args: P.args, **kwargs: P.kwargs) -> R:
            request.max_content_length = size
            return view(*args, **kwargs)

        return read

    return decorate
