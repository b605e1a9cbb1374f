"""Forms for speaker profiles and sponsor profiles."""

from http import HTTPStatus
from typing import Any

import orjson
from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.kit.errors import raise_if_invalid
from eventcal.media.images import ImageSpec
from eventcal.members.permission_checks import check_moderator
from eventcal.speakers.service import get_speaker, get_speaker_to_edit
from eventcal.sponsors.models import Sponsor
from eventcal.sponsors.queries import get_sponsor
from eventcal.sponsors.service import update_sponsor
from eventcal.web.http.conditional import check_etag, etag_of
from eventcal.web.identity.current_user import caller
from eventcal.web.media import max_content_length
from eventcal.web.rendering import forms
from eventcal.web.rendering.page import pages
from eventcal.web.rendering.private_page import form_view, login_required, private_page_response, redisplay
from eventcal.web.rendering.speaker_form import build_speaker_form, save_speaker, speaker_form_context
from eventcal.web.request.context import links, now, read_session, unit_of_work
from eventcal.web.schemas.sponsors import SponsorPatch, sponsor_json

_SPONSOR = SponsorPatch()
_LOGO = "logo"


@pages.get("/speakers/<slug>/edit")
@login_required
def speaker_profile_form(slug: str, form: forms.Form | None = None, status: int = HTTPStatus.OK) -> Response:
    with read_session() as session:
        speaker = get_speaker_to_edit(session, slug, caller())
        values = speaker_form_context(speaker, form or build_speaker_form(speaker))
        title = _("Profile of %(name)s", name=speaker.name)
        done = forms.done_message({"saved": _("It is saved.")})
        return private_page_response(template="speaker_profile.html", title=title, status=status, done=done, **values)


@pages.post("/speakers/<slug>/edit")
@max_content_length(forms.MAX_FORM_BYTES)
@login_required
@form_view(redisplay(speaker_profile_form))
def save_speaker_profile(slug: str) -> str:
    save_speaker(lambda session: get_speaker(session, slug, caller()))
    return url_for("pages.speaker_profile_form", slug=slug, done="saved")


@pages.get("/sponsors/<slug>/edit")
@login_required
def sponsor_profile_form(slug: str, form: forms.Form | None = None, status: int = HTTPStatus.OK) -> Response:
    with read_session() as session:
        sponsor = _get_sponsor_for_moderator(session, slug)
        stored = {name: getattr(sponsor, name) or "" for name in ("name", "url", "description")}
        values: dict[str, Any] = {
            "sponsor": sponsor,
            "form": form or forms.Form(stored),
            "version": _sponsor_etag(sponsor),
        }
        values |= forms.picture_context(sponsor.logo_url)
        title = _("Sponsor %(name)s", name=sponsor.name)
        done = forms.done_message({"saved": _("It is saved.")})
        return private_page_response(template="sponsor_profile.html", title=title, status=status, done=done, **values)


@pages.post("/sponsors/<slug>/edit")
@max_content_length(forms.MAX_FORM_BYTES)
@login_required
@form_view(redisplay(sponsor_profile_form))
def save_sponsor_profile(slug: str) -> str:
    with read_session() as session:
        # Check the permission before decoding an uploaded image.
        _get_sponsor_for_moderator(session, slug)
    data = request.form
    optional = {name: forms.normalise_newlines(data.get(name, "")).strip() or None for name in ("url", "description")}
    fields, errors = forms.load_with_errors(_SPONSOR, {"name": data.get("name", ""), **optional})
    picture, image_errors = forms.read_picture_field(_LOGO, ImageSpec.LOGO)
    raise_if_invalid([*errors, *image_errors])
    with unit_of_work() as session:
        sponsor = _get_sponsor_for_moderator(session, slug)
        check_etag(f'"{data.get("version", "")}"', _sponsor_etag(sponsor))
        fields |= forms.store_picture_change(_LOGO, "logo_url", picture)
        update_sponsor(session, sponsor, fields, caller=caller(), now=now())
    return url_for("pages.sponsor_profile_form", slug=slug, done="saved")


def _get_sponsor_for_moderator(session: Session, slug: str) -> Sponsor:
    sponsor = get_sponsor(session, slug, caller())
    check_moderator(caller())
    return sponsor


def _sponsor_etag(sponsor: Sponsor) -> str:
    return etag_of(orjson.dumps(sponsor_json(sponsor, links())))
