"""A member's passkeys: added by a browser that makes one, and removed."""

from http import HTTPStatus

from flask import redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Fault
from eventcal.members.errors import PasskeyKnown, PasskeyRefused
from eventcal.members.passkeys import get_passkey, list_passkeys, remove_passkey
from eventcal.web.http.errors import status_of
from eventcal.web.identity import passkeys, passwords
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.identity.permissions import current_member
from eventcal.web.identity.schemas import PasskeyIn
from eventcal.web.pages.me.layout import own_page
from eventcal.web.pages.me.reauthentication import proved_lately
from eventcal.web.rendering.dates import at
from eventcal.web.rendering.forms import Form, load, typed_again
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import now, reading, unit_of_work

_PASSKEY = PasskeyIn()
_HOME = "/me/security"
_NEW = f"{_HOME}/passkeys/new"


@pages.get("/me/security/passkeys/new")
@signed_in
@proved_lately
def new_passkey() -> Response:
    """Ask what a new passkey is to be called, and have the browser make it."""
    return _adding(Form())


@pages.post("/me/security/passkeys/new")
@signed_in
@proved_lately
def add_passkey() -> Response:
    """Add the passkey that the browser made."""
    fields, faults = load(_PASSKEY, {name: request.form.get(name, "") for name in ("name", "answer")})
    if faults:
        return _adding(_typed(faults), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        passkeys.add(fields["answer"], name=fields["name"])
    except PasskeyKnown as refusal:
        said = _("This device has a passkey here already.")
        return _adding(_typed([Fault("", said)]), status=status_of(type(refusal)))
    except PasskeyRefused:
        said = _("This passkey was not taken. Try once more.")
        return _adding(_typed([Fault("", said)]), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(f"{_HOME}?done=passkey", HTTPStatus.SEE_OTHER)


@pages.get("/me/security/passkeys/<passkey_id>")
@signed_in
@proved_lately
def passkey(passkey_id: str) -> Response:
    """Ask whether one of a member's passkeys is to be removed."""
    with reading() as session:
        return answer_page(_removing(session, passkey_id))


@pages.post("/me/security/passkeys/<passkey_id>")
@signed_in
@proved_lately
def end_passkey(passkey_id: str) -> Response:
    """Remove a passkey."""
    with unit_of_work() as session:
        member = current_member(session)
        remove_passkey(session, get_passkey(session, passkey_id, member.id))
        passwords.factors_changed(session, member, now=now())
    return redirect(f"{_HOME}?done=removed", HTTPStatus.SEE_OTHER)


def _typed(faults: list[Fault]) -> Form:
    return typed_again(request.form, faults, secret=["answer"])


def _adding(form: Form, *, status: int = HTTPStatus.OK) -> Response:
    if not passkeys.are_possible():
        return redirect(_HOME, HTTPStatus.SEE_OTHER)
    with reading() as session:
        member = current_member(session)
        asked = passkeys.options_to_add(member, list_passkeys(session, member.id))
    page = own_page(template="security_new_passkey.html", title=_("Add a passkey"), path=_NEW, form=form, asked=asked)
    return answer_page(page, status=status)


def _removing(session: Session, passkey_id: str) -> Page:
    found = get_passkey(session, passkey_id, current_member_id())
    return own_page(
        template="security_passkey.html",
        title=found.name,
        path=f"{_HOME}/passkeys/{found.id}",
        passkey=found,
        made=at(found.created_at, tzid="UTC"),
        used=at(found.last_used_at, tzid="UTC") if found.last_used_at else None,
    )
