"""A speaker's page: who they are, and what they talk about where."""

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
from eventcal.talks.queries import list_talks
from eventcal.web.identity.permissions import feed
from eventcal.web.media import own_path
from eventcal.web.pages.public.json_ld import speaker_structured
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
                "upcoming": [_told(talk) for talk in talks if talk.last_day >= today],
                "past": [_told(talk) for talk in reversed(talks) if talk.last_day < today],
            },
        )

    return show(make)


def _told(talk: Talk) -> Json:
    """Return what a list says of a talk."""
    shown = talk_json(talk, links())
    return {**shown, "event": talk.event, "when": when(shown, tzid=talk.event.timezone)}
