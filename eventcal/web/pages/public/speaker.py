"""A speaker's page: who they are, and what they talk about where."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.kit.markdown import to_plain
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.members.caller import VISITOR
from eventcal.speakers.models import Speaker
from eventcal.speakers.queries import get_speaker
from eventcal.talks.models import Talk
from eventcal.talks.queries import list_talks
from eventcal.web.identity.permissions import feed
from eventcal.web.media import own_path
from eventcal.web.rendering.dates import when
from eventcal.web.rendering.labels import short
from eventcal.web.rendering.page import FeedLink, Page, pages, show
from eventcal.web.request.context import links
from eventcal.web.schemas.speakers import speaker_json
from eventcal.web.schemas.talks import talk_json

Json = dict[str, Any]


@pages.get("/speakers/<slug>")
@feed
def speaker(slug: str) -> Response:
    """Show a speaker and their talks."""

    def make(session: Session, moment: datetime) -> Page:
        row = get_speaker(session, slug, VISITOR)
        shown, photo = speaker_json(row, links()), own_path(row.photo_url)
        # By days, as the filter `from` counts: what is kept of a page is kept for a day.
        today = moment.astimezone(UTC).date().isoformat()
        talks = list(_talks_of(session, row, moment))
        return Page(
            template="pages/speaker.html",
            title=row.name,
            path=f"/speakers/{row.slug}",
            description=short(to_plain(row.bio or "")),
            image=links().picture(photo),
            feeds=(
                FeedLink(
                    url=links().speaker_feed(row.slug),
                    type="text/calendar",
                    title=_("Talks by %(name)s", name=row.name),
                ),
            ),
            structured=_person(shown, image=links().picture(photo)),
            values={
                "speaker": shown,
                "photo": photo,
                "upcoming": [_told(talk) for talk in talks if talk.last_day >= today],
                "past": [_told(talk) for talk in reversed(talks) if talk.last_day < today],
            },
        )

    return show(make)


def _talks_of(session: Session, row: Speaker, moment: datetime) -> Iterator[Talk]:
    """Yield a speaker's public talks, the first first."""
    cursor = None
    while True:
        found = list_talks(
            session,
            Filter(speakers=(row.slug,)),
            sort=Sort.STARTS,
            paging=Paging(LARGEST_LIMIT, cursor),
            now=moment,
        )
        yield from found.items
        if found.next is None:
            return
        cursor = found.next


def _told(talk: Talk) -> Json:
    """Return what a list says of a talk."""
    shown = talk_json(talk, links())
    return {
        "id": talk.id,
        "title": talk.title,
        "state": shown["state"],
        "when": when(shown, tzid=talk.event.timezone),
        "event": {"slug": talk.event.slug, "title": talk.event.title},
    }


def _person(shown: Json, *, image: str | None) -> Json:
    """Return schema.org's Person, with what is known of them."""
    said = {
        "@context": "https://schema.org",
        "@type": "Person",
        "name": shown["name"],
        "url": links().speaker_page(shown["slug"]),
        "image": image,
        "jobTitle": shown["job_title"],
        "affiliation": {"@type": "Organization", "name": shown["affiliation"]} if shown["affiliation"] else None,
        "description": to_plain(shown["bio"]) if shown["bio"] else None,
        "sameAs": [link["url"] for link in shown["links"]],
    }
    return {name: value for name, value in said.items() if value}
