"""Forms for the profiles of speakers, and of sponsors with their logos."""

import orjson
from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.refusals import Refusal, refuse_faults
from eventcal.media.picture import Frame
from eventcal.members.rules import check_moderator
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import check_may_edit, get_speaker
from eventcal.sponsors.models import Sponsor
from eventcal.sponsors.queries import get_sponsor
from eventcal.sponsors.service import edit_sponsor
from eventcal.web.http.conditional import check_etag, etag_of
from eventcal.web.identity.current_user import caller, csrf_token
from eventcal.web.media import takes_up_to
from eventcal.web.rendering.forms import (
    LARGEST_FORM,
    Form,
    faults_of,
    lines,
    load,
    picture_change,
    picture_sent,
    picture_values,
    said_after,
    sent_again,
)
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, handle_form, signed_in
from eventcal.web.rendering.speaker_form import form_of_speaker, handle_speaker_form, speaker_values
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.sponsors import SponsorPatch, sponsor_json

_SPONSOR = SponsorPatch()
_LOGO = "logo"


@pages.get("/speakers/<slug>/edit")
@signed_in
def speaker_profile(slug: str) -> Response:
    """Show the form of a speaker's profile, to the speaker and to moderators."""
    with reading() as session:
        speaker = get_speaker(session, slug, caller())
        check_may_edit(speaker, caller())
        return answer_page(_speaker_page(speaker, form_of_speaker(speaker)))


@pages.post("/speakers/<slug>/edit")
@takes_up_to(LARGEST_FORM)
@signed_in
def change_speaker_profile(slug: str) -> Response:
    """Save a speaker's profile."""

    def find(session: Session) -> Speaker:
        return get_speaker(session, slug, caller())

    return handle_speaker_form(find, url_for("pages.speaker_profile", slug=slug), render_form=_speaker_page)


@pages.get("/sponsors/<slug>/edit")
@signed_in
def sponsor_profile(slug: str) -> Response:
    """Show moderators the form of a sponsor's profile."""
    with reading() as session:
        sponsor = _sponsor(session, slug)
        form = Form({name: getattr(sponsor, name) or "" for name in ("name", "url", "description")})
        return answer_page(_sponsor_page(sponsor, form))


@pages.post("/sponsors/<slug>/edit")
@takes_up_to(LARGEST_FORM)
@signed_in
def change_sponsor_profile(slug: str) -> Response:
    """Save a sponsor's profile and logo."""

    def save() -> str:
        _save_sponsor(slug)
        return url_for("pages.sponsor_profile", slug=slug, done="saved")

    def render_form(session: Session, error: Refusal) -> Page:
        return _sponsor_page(_sponsor(session, slug), sent_again(_LOGO, faults_of(error)))

    return handle_form(save, render_form=render_form)


def _save_sponsor(slug: str) -> None:
    with reading() as session:
        # Check the permission before decoding an uploaded picture.
        _sponsor(session, slug)
    typed = request.form
    optional = {name: lines(typed.get(name, "")).strip() or None for name in ("url", "description")}
    fields, faults = load(_SPONSOR, {"name": typed.get("name", ""), **optional})
    picture, unreadable = picture_sent(_LOGO, Frame.LOGO)
    refuse_faults([*faults, *unreadable])
    with unit_of_work() as session:
        sponsor = _sponsor(session, slug)
        check_etag(f'"{typed.get("version", "")}"', _version(sponsor))
        fields |= picture_change(_LOGO, "logo_url", picture)
        edit_sponsor(session, sponsor, fields, caller=caller(), now=now())


def _sponsor(session: Session, slug: str) -> Sponsor:
    sponsor = get_sponsor(session, slug, caller())
    check_moderator(caller())
    return sponsor


def _version(sponsor: Sponsor) -> str:
    return etag_of(orjson.dumps(sponsor_json(sponsor, links())))


def _speaker_page(speaker: Speaker, form: Form) -> Page:
    title = _("Profile of %(name)s", name=speaker.name)
    return _page("speaker_profile.html", title, **speaker_values(speaker, form))


def _sponsor_page(sponsor: Sponsor, form: Form) -> Page:
    title, picture = _("Sponsor %(name)s", name=sponsor.name), picture_values(sponsor.logo_url)
    return _page("sponsor_profile.html", title, sponsor=sponsor, form=form, version=_version(sponsor), **picture)


def _page(template: str, title: str, **values: object) -> Page:
    values = {"csrf": csrf_token(), "done": said_after({"saved": _("It is saved.")}), **values}
    return Page(template=f"pages/{template}", title=title, indexed=False, values=values)
