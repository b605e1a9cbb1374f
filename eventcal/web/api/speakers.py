"""/api/v1/speakers: the list, one speaker, editing, merging two that are one."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.kit.ids import SlugFixed, SlugTaken
from eventcal.kit.refusals import Forbidden, Stale
from eventcal.members.words import Scope
from eventcal.speakers.errors import SameSpeaker
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import edit_speaker, get_speaker, list_speakers
from eventcal.talks.removal import merge_speakers
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.pagination import next_page_link, page_asked, page_json
from eventcal.web.api.responses import Content, answer, check_body_version, document, serve_public
from eventcal.web.http.errors import PreconditionRequired
from eventcal.web.identity.permissions import caller, member, moderator, public
from eventcal.web.media import as_kept
from eventcal.web.request.context import links, now, unit_of_work
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.speakers import MergeIn, SpeakerOut, SpeakerPage, SpeakerPatch, speaker_json

speakers = Subject("speakers", "People on stage")


@speakers.get("/speakers", public, query=PageQuery, returns=SpeakerPage)
def list_all(query: dict[str, Any]) -> Response:
    """List speakers, by slug."""

    def make(session: Session) -> Content:
        page = list_speakers(session, paging=page_asked(query))
        body = page_json(page, lambda speaker: speaker_json(speaker, links()))
        return document(body, link=next_page_link(query, page.next))

    return serve_public(make)


@speakers.get("/speakers/<slug>", public, returns=SpeakerOut)
def read(slug: str) -> Response:
    """Read one speaker; a merged one's address gives who they were merged into."""

    def make(session: Session) -> Content:
        speaker = get_speaker(session, slug, caller())
        return document(speaker_json(speaker, links()), public=speaker.published_at is not None)

    return serve_public(make)


@speakers.patch(
    "/speakers/<slug>",
    member(Scope.SUBMIT),
    body=SpeakerPatch,
    returns=SpeakerOut,
    refuses=[Forbidden, PreconditionRequired, Stale, SlugFixed, SlugTaken],
)
def edit(fields: dict[str, Any], slug: str) -> Response:
    """Change a speaker (JSON merge patch), as themselves or a moderator; needs `If-Match`."""
    with unit_of_work() as session:
        speaker = get_speaker(session, slug, caller())
        check_body_version(speaker_json(speaker, links()))
        edit_speaker(session, speaker, as_kept(fields, "photo_url"), caller=caller(), now=now())
    return _answer(speaker)


@speakers.post("/speakers/<slug>/merge", moderator, body=MergeIn, returns=SpeakerOut, refuses=[SameSpeaker])
def merge(fields: dict[str, Any], slug: str) -> Response:
    """Make another speaker one with this one."""
    with unit_of_work() as session:
        kept = get_speaker(session, slug, caller())
        other = get_speaker(session, fields["other"], caller())
        merge_speakers(session, kept, other, caller=caller(), now=now())
    return _answer(kept)


def _answer(speaker: Speaker) -> Response:
    return answer(speaker_json(speaker, links()), versioned=True)
