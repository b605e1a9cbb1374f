"""A picture that a form sends: read, or what is wrong with it beside its field; browsers do not keep the choice."""

from collections.abc import Iterable

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from eventcal.kit.refusals import Fault
from eventcal.media.errors import UnreadablePicture
from eventcal.media.picture import LARGEST_UPLOAD, Frame, Picture
from eventcal.web.i18n.messages import refusal_in_words
from eventcal.web.media import own_path, put_up, read_upload
from eventcal.web.rendering.forms import Form, typed_again

LARGEST_FORM = 4 * LARGEST_UPLOAD
"""The most bytes that a form with a picture may have: what a camera makes is told that it is too large, in its form."""


def picture_sent(field: str, frame: Frame) -> tuple[Picture | None, list[Fault]]:
    """Return the picture that was chosen, if any, and what is wrong with it. Raises TooMany."""
    if not _is_chosen(field):
        return None, []
    try:
        return read_upload(request.files[field].stream.read(LARGEST_UPLOAD + 1), frame), []
    except UnreadablePicture as refusal:
        return None, [Fault(f"/{field}", refusal_in_words(refusal))]


def picture_change(field: str, column: str, picture: Picture | None) -> dict[str, str | None]:
    """Return what becomes of the column: the new picture, none where its removal was ticked, or no change.

    Call it inside the unit of work.
    """
    if picture is not None:
        return {column: put_up(picture)}
    return {column: None} if request.form.get(f"remove_{field}") else {}


def sent_again(field: str, faults: Iterable[Fault]) -> Form:
    """Return the form as it was sent, with its faults; what was chosen has to be chosen again, and that is said."""
    found = list(faults)
    if _is_chosen(field) and all(fault.pointer != f"/{field}" for fault in found):
        found.append(Fault(f"/{field}", _("Choose the picture again: nothing was saved yet.")))
    return typed_again(MultiDict([*request.form.items(multi=True), (field, "")]), found)


def picture_values(kept: str | None) -> dict[str, str | None]:
    """Return what a form shows of the picture that there is: ours, or the address of one elsewhere."""
    ours = own_path(kept)
    return {"picture": ours, "picture_elsewhere": kept if ours is None else None}


def _is_chosen(field: str) -> bool:
    """Say whether a file was chosen; without, browsers send one that has no name."""
    file = request.files.get(field)
    return file is not None and bool(file.filename)
