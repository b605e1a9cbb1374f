"""Uploaded images, and references to images in database rows.

The database stores uploaded images as paths, so that BASE_URL can change, and external images as URLs.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.errors import FieldError, Message, raise_if_invalid
from eventcal.media.images import ImageSpec, Picture
from eventcal.media.store import MediaStore
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.request.context import links, now, services, settings
from eventcal.web.request.rate_limits import count_image_upload

P = ParamSpec("P")
R = TypeVar("R")

UPLOAD_PATH = "/media/"


def media_store() -> MediaStore:
    return MediaStore(settings().media_folder)


def find_uploaded_path(stored_url: str | None) -> str | None:
    """Return `stored_url` if it is the path of an uploaded image, or None."""
    return stored_url if stored_url is not None and stored_url.startswith(UPLOAD_PATH) else None


def decode_upload(raw: bytes, frame: ImageSpec) -> Picture:
    """Decode an image uploaded by the current user. Raises UnsupportedImage, TooManyRequests or Overloaded."""
    from eventcal.media.reencode import count_pixels, reencode_picture

    count_image_upload(current_member_id(), pixels=count_pixels(raw))
    with services().limiters.images.slot():
        return reencode_picture(raw, frame)


def store_upload(picture: Picture) -> str:
    """Store an image and return its path. Call this function within the unit of work that saves the path."""
    return f"{UPLOAD_PATH}{media_store().save(picture, now=now())}"


def normalise_photo_url(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Replace the URL of an uploaded image with a path in one field. Raises Invalid if the image does not exist."""
    url = fields.get(name)
    ours = f"{links().base}{UPLOAD_PATH}"
    if url is None or not url.startswith(ours):
        return dict(fields)
    found = url.removeprefix(ours)
    if not media_store().exists(found):
        raise_if_invalid([FieldError(f"/{name}", Message("refers to an image that does not exist; upload it first"))])
    return {**fields, name: f"{UPLOAD_PATH}{found}"}


def referenced_files(session: Session) -> set[str]:
    urls = [url for field in (Speaker.photo_url, Sponsor.logo_url) for url in session.scalars(select(field).distinct())]
    return {url.removeprefix(UPLOAD_PATH) for url in urls if url is not None and find_uploaded_path(url)}


def max_content_length(max_bytes: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that limits the size of the request bodies that a view accepts.

    Place the decorator above the permission decorator, which reads the CSRF token from the body of a form.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            request.max_content_length = max_bytes
            return view(*args, **kwargs)

        return wrapper

    return decorate
