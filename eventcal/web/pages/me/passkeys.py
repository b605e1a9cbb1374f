"""A member's passkeys: added by a browser that makes one, and removed."""

from http import HTTPStatus

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Invalid
from eventcal.members.errors import PasskeyKnown, PasskeyRefused
from eventcal.members.factors import get_passkey, list_passkeys, remove_passkey
from eventcal.web.identity import passkeys
from eventcal.web.identity.accounts import factors_changed
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.identity.schemas import PasskeyIn
from eventcal.web.pages.me.layout import BLANK, answer_own_page, form_view, utc_time
from eventcal.web.pages.me.security import proved_lately
from eventcal.web.rendering.forms import Form, validate
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import signed_in
from eventcal.web.request.context import now, reading, unit_of_work

_PASSKEY = PasskeyIn()


@pages.get("/me/security/passkeys/new")
@signed_in
@proved_lately
def new_passkey(form: Form = BLANK, status: int = HTTPStatus.OK) -> Response:
    """Ask what a new passkey is to be called, and have the browser make it."""
    if not passkeys.are_possible():
        return redirect(url_for("pages.ways_in"), HTTPStatus.SEE_OTHER)
    with reading() as session:
        member = current_member(session)
        asked = passkeys.options_to_add(member, list_passkeys(session, member.id))
    title = _("Add a passkey")
    return answer_own_page(template="me/security_new_passkey.html", title=title, status=status, form=form, asked=asked)


@pages.post("/me/security/passkeys/new")
@signed_in
@proved_lately
@form_view(new_passkey, catch=(Invalid, PasskeyKnown))
def add_passkey() -> str:
    """Add the passkey that the browser made."""
    fields = validate(_PASSKEY, {name: request.form.get(name, "") for name in ("name", "answer")})
    try:
        passkeys.add(fields["answer"], name=fields["name"])
    except PasskeyRefused as error:
        raise Invalid(_("This passkey was not taken. Try once more.")) from error
    return url_for("pages.ways_in", done="passkey")


@pages.get("/me/security/passkeys/<passkey_id>")
@signed_in
@proved_lately
def passkey(passkey_id: str) -> Response:
    """Ask whether one of a member's passkeys is to be removed."""
    with reading() as session:
        found = get_passkey(session, passkey_id, current_member_id())
        return answer_own_page(
            template="me/security_passkey.html",
            title=found.name,
            passkey=found,
            made=utc_time(found.created_at),
            used=utc_time(found.last_used_at),
        )


@pages.post("/me/security/passkeys/<passkey_id>")
@signed_in
@proved_lately
def end_passkey(passkey_id: str) -> Response:
    """Remove a passkey."""
    with unit_of_work() as session:
        member = current_member(session)
        remove_passkey(session, passkey_id, member.id)
        factors_changed(session, member, now=now())
    return redirect(url_for("pages.ways_in", done="removed"), HTTPStatus.SEE_OTHER)
