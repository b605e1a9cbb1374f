"""/api/v1: the portrait of a speaker and the logo of a sponsor, each sent as it is, and taken away again."""

from flask import Response

from eventcal.kit.refusals import Forbidden
from eventcal.media.errors import UnreadablePicture
from eventcal.media.picture import Frame
from eventcal.members.words import Scope
from eventcal.speakers.service import check_may_edit, edit_speaker, get_speaker
from eventcal.sponsors.queries import get_sponsor
from eventcal.sponsors.service import edit_sponsor
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.responses import answer, nothing
from eventcal.web.identity.permissions import caller, member, moderator
from eventcal.web.media import put_up, read_upload
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.speakers import SpeakerOut, speaker_json
from eventcal.web.schemas.sponsors import SponsorOut, sponsor_json

pictures = Subject("pictures", "Portraits of speakers and logos of sponsors")


@pictures.put(
    "/speakers/<slug>/photo",
    member(Scope.SUBMIT),
    picture=True,
    returns=SpeakerOut,
    refuses=[Forbidden, UnreadablePicture],
)
def put_photo(raw: bytes, slug: str) -> Response:
    """Give a speaker a portrait, as themselves or a moderator.

    PNG, JPEG or WebP, of at most 5 MiB and 40 million pixels (WebP: 16 million). It is made anew, upright and at most
    512 pixels wide and high, without what a camera noted in it; `photo_url` is where.
    """
    with reading() as session:
        # Nothing is decoded for somebody who may not have it shown.
        check_may_edit(get_speaker(session, slug, caller()), caller())
    picture = read_upload(raw, Frame.PORTRAIT)
    with unit_of_work() as session:
        speaker = get_speaker(session, slug, caller())
        check_may_edit(speaker, caller())
        edit_speaker(session, speaker, {"photo_url": put_up(picture)}, caller=caller(), now=now())
    return answer(speaker_json(speaker, links()), versioned=True)


@pictures.delete("/speakers/<slug>/photo", member(Scope.SUBMIT), refuses=[Forbidden])
def delete_photo(slug: str) -> Response:
    """Take a speaker's portrait away, as themselves or a moderator."""
    with unit_of_work() as session:
        speaker = get_speaker(session, slug, caller())
        edit_speaker(session, speaker, {"photo_url": None}, caller=caller(), now=now())
    return nothing()


@pictures.put("/sponsors/<slug>/logo", moderator, picture=True, returns=SponsorOut, refuses=[UnreadablePicture])
def put_logo(raw: bytes, slug: str) -> Response:
    """Give a sponsor a logo.

    PNG, JPEG or WebP, of at most 5 MiB and 40 million pixels (WebP: 16 million). It is made anew, at most 640
    pixels wide and 320 high; `logo_url` is where.
    """
    with reading() as session:
        get_sponsor(session, slug, caller())
    picture = read_upload(raw, Frame.LOGO)
    with unit_of_work() as session:
        sponsor = get_sponsor(session, slug, caller())
        edit_sponsor(session, sponsor, {"logo_url": put_up(picture)}, caller=caller(), now=now())
    return answer(sponsor_json(sponsor, links()), versioned=True)


@pictures.delete("/sponsors/<slug>/logo", moderator)
def delete_logo(slug: str) -> Response:
    """Take a sponsor's logo away."""
    with unit_of_work() as session:
        sponsor = get_sponsor(session, slug, caller())
        edit_sponsor(session, sponsor, {"logo_url": None}, caller=caller(), now=now())
    return nothing()
