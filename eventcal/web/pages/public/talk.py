"""A talk's page."""

from datetime import datetime

from flask import Response
from sqlalchemy.orm import Session

from eventcal.kit.markdown import to_plain
from eventcal.members.caller import VISITOR
from eventcal.talks.queries import get_talk
from eventcal.web.identity.permissions import feed
from eventcal.web.media import own_path
from eventcal.web.pages.public.json_ld import talk_structured
from eventcal.web.rendering.dates import when
from eventcal.web.rendering.labels import short
from eventcal.web.rendering.page import FeedLink, Page, pages, show
from eventcal.web.request.context import links
from eventcal.web.schemas.talks import talk_json


@pages.get("/talks/<talk_id>")
@feed
def talk(talk_id: str) -> Response:
    """Show a talk."""

    def make(session: Session, _moment: datetime) -> Page:
        row = get_talk(session, talk_id, VISITOR)
        shown = talk_json(row, links())
        return Page(
            template="pages/talk.html",
            title=row.title,
            description=short(to_plain(row.abstract or "")),
            feeds=(FeedLink(url=links().talk_feed(row.id), title=row.title),),
            embeddable=True,
            structured=talk_structured(row, links()),
            values={
                "talk": shown,
                "event": row.event,
                "when": when(shown, tzid=row.event.timezone),
                "portraits": [
                    {"slug": one.slug, "name": one.name, "photo": own_path(one.photo_url)}
                    for one in row.speakers
                    if own_path(one.photo_url)
                ],
            },
        )

    return show(make)
