"""The pages of a talk and of a speaker."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Response, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.filter import Filter, Sort
from eventcal.kit.markdown import to_plain
from eventcal.kit.paging import all_rows
from eventcal.members.caller import VISITOR
from eventcal.speakers.service import get_speaker
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk, list_talks
from eventcal.web.identity.permissions import feed
from eventcal.web.media import own_path
from eventcal.web.pages.public.json_ld import speaker_structured, talk_structured
from eventcal.web.rendering.dates import when
from eventcal.web.rendering.labels import short
from eventcal.web.rendering.page import FeedLink, Page, pages, show
from eventcal.web.request.context import links
from eventcal.web.schemas.speakers import speaker_json
from eventcal.web.schemas.talks import talk_json


@pages.get("/talks/<talk_id>")
@feed
def talk(talk_id: str) -> Response:
    """Show a talk."""

    def make(session: Session, _moment: datetime) -> Page:
        row = get_talk(session, talk_id, VISITOR)
        portraits = [(one, own_path(one.photo_url)) for one in row.speakers]
        return Page(
            template="pages/talk.html",
            title=row.title,
            description=short(to_plain(row.abstract or "")),
            feeds=(FeedLink(url=links().talk_feed(row.id), title=row.title),),
            embeddable=True,
            structured=talk_structured(row, links()),
            values={"talk": _shown(row), "portraits": [pair for pair in portraits if pair[1]]},
        )

    return show(make)


@pages.get("/speakers/<slug>")
@feed
def speaker(slug: str) -> Response:
    """Show a speaker and their talks."""

    def make(session: Session, moment: datetime) -> Page:
        row = get_speaker(session, slug, VISITOR)
        photo = own_path(row.photo_url)
        # By days, as the filter `from` counts: what is kept of a page is kept for a day.
        today = moment.astimezone(UTC).date().isoformat()
        list_page = partial(list_talks, session, Filter(speakers=(row.slug,)), sort=Sort.STARTS, now=moment)
        talks = list(all_rows(lambda paging: list_page(paging=paging)))
        return Page(
            template="pages/speaker.html",
            title=row.name,
            # Somebody who was merged is shown as who stayed.
            path=url_for("pages.speaker", slug=row.slug),
            description=short(to_plain(row.bio or "")),
            image=links().picture(photo),
            feeds=(FeedLink(url=links().speaker_feed(row.slug), title=_("Talks by %(name)s", name=row.name)),),
            structured=speaker_structured(row, links()),
            values={
                "speaker": speaker_json(row, links()),
                "photo": photo,
                "upcoming": [_shown(talk) for talk in talks if talk.last_day >= today],
                "past": [_shown(talk) for talk in reversed(talks) if talk.last_day < today],
            },
        )

    return show(make)


def _shown(row: Talk) -> dict[str, Any]:
    """Return a talk's resource with its event, and when it is in words."""
    resource = talk_json(row, links())
    return {**resource, "event": row.event, "when": when(resource, tzid=row.event.timezone)}
