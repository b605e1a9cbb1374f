"""API views under /api/v1/speakers: list, read, edit and merge speakers, and set their portraits."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from eventcal.kit.errors import Forbidden
from eventcal.kit.ids import DuplicateSlug, SlugImmutable
from eventcal.media.errors import UnsupportedImage
from eventcal.media.images import ImageSpec
from eventcal.members.enums import Scope
from eventcal.speakers.errors import CannotMergeWithItself
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import get_speaker, get_speaker_to_edit, list_public_speakers, update_speaker
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.pagination import next_page_link_header, page_json, paging_from_query
from eventcal.web.api.responses import Content, cached_view, check_if_match, json_content, json_response
from eventcal.web.identity.current_user import caller
from eventcal.web.identity.permissions import member, moderator, public
from eventcal.web.media import decode_upload, normalise_photo_url, store_upload
from eventcal.web.request.context import links, now, unit_of_work
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.speakers import MergeIn, SpeakerOut, SpeakerPatch, speaker_json

speakers = ApiBlueprint("speakers", "Speakers")
pictures = ApiBlueprint("pictures", "Portraits of speakers and logos of sponsors")
editor = member(Scope.SUBMIT, get_speaker_to_edit)


@speakers.get("/speakers", public, query=PageQuery, lists=SpeakerOut)
@cached_view
def list_all(session: Session, query: dict[str, Any]) -> Content:
    """List speakers, ordered by slug."""
    page = list_public_speakers(session, paging=paging_from_query(query))
    body = page_json(page, lambda speaker: speaker_json(speaker, links()))
    return json_content(body, link=next_page_link_header(query, page.next_cursor))


@speakers.get("/speakers/<slug>", public, returns=SpeakerOut)
@cached_view
def read(session: Session, slug: str) -> Content:
    """Return a speaker, or, for the slug of a merged speaker, the speaker who took over the slug."""
    speaker = get_speaker(session, slug, caller())
    return json_content(speaker_json(speaker, links()), public=speaker.published_at is not None)


@speakers.patch(
    "/speakers/<slug>",
    editor,
    body=SpeakerPatch,
    returns=SpeakerOut,
    if_match=True,
    errors=[Forbidden, SlugImmutable, DuplicateSlug],
)
def edit(fields: dict[str, Any], slug: str) -> Response:
    """Change a speaker profile with a JSON merge patch, as the speaker or a moderator. `If-Match` is required."""
    with unit_of_work() as session:
        speaker = get_speaker(session, slug, caller())
        check_if_match(speaker_json(speaker, links()))
        update_speaker(session, speaker, normalise_photo_url(fields, "photo_url"), caller=caller(), now=now())
    return _speaker_response(speaker)


@speakers.post("/speakers/<slug>/merge", moderator, body=MergeIn, returns=SpeakerOut, errors=[CannotMergeWithItself])
def merge(fields: dict[str, Any], slug: str) -> Response:
    """Merge another speaker into the speaker that the path identifies."""
    with unit_of_work() as session:
        kept = get_speaker(session, slug, caller())
        other = get_speaker(session, fields["other"], caller())
        merge_speakers(session, kept, other, caller=caller(), now=now())
    return _speaker_response(kept)


@pictures.put("/speakers/<slug>/photo", editor, picture=True, returns=SpeakerOut, errors=[Forbidden, UnsupportedImage])
def put_photo(raw: bytes, slug: str) -> Response:
    """Set the portrait of a speaker. Only the speaker and moderators can set the portrait.

    The body is a PNG, JPEG or WebP image of at most 5 MiB and 16 million pixels. The image is rotated upright
    and re-encoded at up to 512 by 512 pixels, without camera metadata. The `photo_url` field contains the URL of the
    image.
    """
    picture = decode_upload(raw, ImageSpec.PORTRAIT)
    with unit_of_work() as session:
        speaker = get_speaker_to_edit(session, slug, caller())
        update_speaker(session, speaker, {"photo_url": store_upload(picture)}, caller=caller(), now=now())
    return _speaker_response(speaker)


@pictures.delete("/speakers/<slug>/photo", editor, errors=[Forbidden])
def delete_photo(slug: str) -> None:
    """Delete the portrait of a speaker. Only the speaker and moderators can delete the portrait."""
    with unit_of_work() as session:
        speaker = get_speaker(session, slug, caller())
        update_speaker(session, speaker, {"photo_url": None}, caller=caller(), now=now())


def _speaker_response(speaker: Speaker) -> Response:
    return json_response(speaker_json(speaker, links()), with_body_etag=True)
