"""Pictures of ours as rows name them: uploaded, kept, and told apart from those of other hosts.

A row names a picture of ours by its path, so that BASE_URL may change, and any other by its URL.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.kit.refusals import Fault, Sentence, refuse_faults
from eventcal.media.gallery import Gallery
from eventcal.media.picture import Frame, Picture, read_picture
from eventcal.speakers.models import Speaker
from eventcal.sponsors.models import Sponsor
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.request.context import links, now, settings
from eventcal.web.request.rate_limits import count_picture

P = ParamSpec("P")
R = TypeVar("R")

PATH = "/media/"
"""Where our pictures are."""


def gallery() -> Gallery:
    """Return where this installation keeps its pictures."""
    return Gallery(settings().media)


def own_path(kept: str | None) -> str | None:
    """Return the path of a picture that a row names, if it is ours: what a page may show."""
    return kept if kept is not None and kept.startswith(PATH) else None


def read_upload(raw: bytes, frame: Frame) -> Picture:
    """Return the picture that the member who calls sent. Raises TooMany, UnreadablePicture."""
    count_picture(current_member_id())
    return read_picture(raw, frame)


def put_up(picture: Picture) -> str:
    """Keep a picture, inside the unit of work that names it, and return its path."""
    return f"{PATH}{gallery().keep(picture, now=now())}"


def as_kept(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the fields of a patch with the URL of a picture of ours as its path. Raises Invalid if there is none."""
    url = fields.get(name)
    ours = f"{links().base}{PATH}"
    if url is None or not url.startswith(ours):
        return dict(fields)
    found = url.removeprefix(ours)
    if not gallery().has(found):
        refuse_faults([Fault(f"/{name}", Sentence("names no picture that is here; upload it first"))])
    return {**fields, name: f"{PATH}{found}"}


def names_in_use(session: Session) -> set[str]:
    """Return the names of the pictures of ours that a row names."""
    urls = [
        url for column in (Speaker.photo_url, Sponsor.logo_url) for url in session.scalars(select(column).distinct())
    ]
    return {url.removeprefix(PATH) for url in urls if url is not None and own_path(url)}


def takes_up_to(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view read bodies of up to `size` bytes.

    Apply it outside of the access mark, which looks for the CSRF token: in a form it is part of the body.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def read(*args: P.args, **kwargs: P.kwargs) -> R:
            request.max_content_length = size
            return view(*args, **kwargs)

        return read

    return decorate
