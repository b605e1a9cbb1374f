"""The form by which organisers change a talk: as its submitter's, with its room and its times."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from eventcal.kit.refusals import Fault
from eventcal.talks.models import Talk
from eventcal.talks.steps import Edit
from eventcal.web.rendering.forms import Form, Typed, load, stored_faults
from eventcal.web.rendering.talk_form import form_of as submitters_form_of
from eventcal.web.rendering.talk_form import talk_fields
from eventcal.web.schemas.talks import TalkPatch

_PATCH = TalkPatch()
_TIMES = ("starts", "ends")


def form_of(talk: Talk) -> Form:
    """Return the form with what a talk says, and the revision that says so."""
    room = talk.room.name if talk.room else ""
    return Form({**submitters_form_of(talk).values, "room": room, "revision": str(talk.revision)})


def changed(talk: Talk, typed: Typed) -> dict[str, Any]:
    """Return the body that changes a talk to what was typed: whatever the form shows as it was stays as it is."""
    before = _body(Typed(form_of(talk).values))
    return {name: value for name, value in _body(typed).items() if name not in before or value != before[name]}


def edit_of(talk: Talk, body: Mapping[str, Any], seen: str) -> Edit:
    """Return what is to change of a talk that was seen at a revision, with every fault of the body."""
    fields, faults = load(_PATCH, body)
    if faults:
        wrong = {fault.pointer.split("/")[1] for fault in faults if fault.pointer}
        # Whether an end fits depends on the start.
        wrong |= set(_TIMES) if wrong & set(_TIMES) else set()
        fields, _none = load(_PATCH, {name: value for name, value in body.items() if name not in wrong})
    return Edit(talk, seen, fields, tuple(faults))


def meanwhile(talk: Talk, typed: Typed) -> Iterator[Fault]:
    """Yield that somebody else changed the talk, and beside each field that differs what stands there now."""
    yield Fault(
        "", _("Somebody else changed this talk meanwhile. Look at what stands there now; if you save, yours will.")
    )
    for fault in stored_faults(form_of(talk).values, typed):
        yield Fault(fault.pointer.removesuffix("_time"), fault.detail)


def _body(typed: Typed) -> dict[str, Any]:
    body = talk_fields(typed, whole=True)
    if "room" in typed:
        body["room"] = typed["room"] or None
    return body
