"""Pages for a member's account: name, email, password, speaker profile and deletion."""

from http import HTTPStatus

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from eventcal.kit.errors import Invalid, Message, NotFound, require
from eventcal.members.service import count_access_tokens, update_member
from eventcal.outbox.enums import MailKind
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import find_speaker_by_member
from eventcal.talks.delete_and_merge_referenced import delete_account, preview_account_deletion
from eventcal.web.identity import accounts, current_user, passwords_and_codes
from eventcal.web.identity.current_user import current_member, current_member_id
from eventcal.web.identity.permissions import public
from eventcal.web.identity.schemas import MemberPatch, OwnPasswordIn, PasswordIn
from eventcal.web.media import max_content_length
from eventcal.web.rendering.forms import EMPTY_FORM, MAX_FORM_BYTES, Form, done_message, nonempty_form_fields, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import (
    form_view,
    login_required,
    page_response,
    private_page_response,
    redisplay,
)
from eventcal.web.rendering.speaker_form import build_speaker_form, save_speaker, speaker_form_context
from eventcal.web.request import rate_limits
from eventcal.web.request.context import now, read_session, settings, unit_of_work

_NAME, _NEW_PASSWORD, _PASSWORD = MemberPatch(only=["name"]), PasswordIn(), OwnPasswordIn()
_EMAIL = MemberPatch(only=["email", "password"])


@pages.get("/me/account")
@login_required
def account(submitted_form: str = "mailing", form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    """Show the account page, with `form` in place of the form that `submitted_form` names."""
    with read_session() as session:
        member = current_member(session)
        forms = {"naming": Form({"name": member.name}), "password": Form(), "mailing": Form(), submitted_form: form}
        return private_page_response(
            template="me/account.html",
            title=_("Account"),
            path=url_for("pages.account"),
            status=status,
            member=member,
            confirmed=current_user.is_email_confirmed(member),
            tokens=count_access_tokens(session, member.id),
            done=done_message(
                {
                    "name": _("Your name is changed."),
                    "password": _("Your password is changed. Every other session has ended."),
                    "mailed": _("A mail is on its way to %(email)s.", email=member.email),
                    "address": _("Your address is changed."),
                    "moving": _("Check your inbox: we sent a link to your new address."),
                }
            ),
            **forms,
        )


@pages.post("/me/account")
@login_required
@form_view(redisplay(account, submitted_form="naming"), catch=(Invalid, TooManyRequests))
def change_name() -> str:
    fields = validate(_NAME, {"name": request.form.get("name", "")})
    with unit_of_work() as session:
        update_member(session, current_member(session), fields)
    return url_for("pages.account", done="name")


@pages.post("/me/account/password")
@login_required
@form_view(redisplay(account, default_field="password", submitted_form="password"), catch=(Invalid, TooManyRequests))
def change_password() -> str:
    """Change the password after checking the current password, and end all other sessions of the member."""
    data = {**nonempty_form_fields("password", "new_password"), "revoke_tokens": "revoke_tokens" in request.form}
    fields = passwords_and_codes.load_and_check_password(_NEW_PASSWORD, data)
    current_user.sign_in(accounts.change_own_password(fields))
    return url_for("pages.account", done="password")


@pages.get("/me/account/email")
@login_required
def change_email_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    title, sends_mail = _("Change my address"), settings().mail_url is not None
    return private_page_response(template="me/email.html", title=title, status=status, form=form, sends_mail=sends_mail)


@pages.post("/me/account/email")
@login_required
@form_view(redisplay(change_email_form))
def change_email() -> str:
    """Send a link to the new address after checking the password. Without email, change the address at once."""
    data = {name: request.form.get(name, "") for name in ("email", "password")}
    fields = passwords_and_codes.load_and_check_password(_EMAIL, data)
    rate_limits.count_email(fields["email"])
    with unit_of_work() as session:
        accounts.request_email_change(session, current_member(session), fields["email"])
    return url_for("pages.account", done="address" if settings().mail_url is None else "moving")


@pages.post("/me/account/confirmation")
@login_required
@form_view(redisplay(account))
def resend_confirmation_email() -> str:
    with read_session() as session:
        address = current_member(session).email
    accounts.send_link_by_email(address, MailKind.CONFIRM)
    return url_for("pages.account", done="mailed")


@pages.get("/me/account/delete")
@login_required
def delete_account_form(form: Form = EMPTY_FORM, status: int = HTTPStatus.OK) -> Response:
    with read_session() as session:
        what, title = preview_account_deletion(session, current_member(session), now=now()), _("Delete my account")
        return private_page_response(template="me/leaving.html", title=title, status=status, what=what, form=form)


@pages.post("/me/account/delete")
@login_required
@form_view(redisplay(delete_account_form))
def delete_my_account() -> str:
    passwords_and_codes.load_and_check_password(_PASSWORD, nonempty_form_fields("password"))
    with unit_of_work() as session:
        delete_account(session, current_member(session), now=now())
    current_user.clear_session_cookie()
    return url_for("pages.account_deleted")


@pages.get("/me/account/deleted")
@public
def account_deleted() -> Response:
    return page_response(Page(template="pages/left.html", title=_("Your account is gone"), indexed=False))


@pages.get("/me/speaker")
@login_required
def my_speaker_profile_form(form: Form | None = None, status: int = HTTPStatus.OK) -> Response:
    title = _("Speaker profile")
    with read_session() as session:
        speaker = find_speaker_by_member(session, current_member_id())
        if speaker is None:
            return private_page_response(template="me/no_speaker.html", title=title)
        values = speaker_form_context(speaker, form or build_speaker_form(speaker))
        done = done_message({"saved": _("It is saved.")})
        return private_page_response(template="me/speaker.html", title=title, status=status, done=done, **values)


@pages.post("/me/speaker")
@max_content_length(MAX_FORM_BYTES)
@login_required
@form_view(redisplay(my_speaker_profile_form))
def save_my_speaker_profile() -> str:
    save_speaker(_get_own_speaker)
    return url_for("pages.my_speaker_profile_form", done="saved")


def _get_own_speaker(session: Session) -> Speaker:
    missing = NotFound(Message("You have no speaker profile yet: it comes with your first talk."))
    return require(find_speaker_by_member(session, current_member_id()), missing)
