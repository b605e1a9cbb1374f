"""Several editors of one entry: no timestamp is in the future, and a rejected edit names the time for a retry."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventcal.feeds.index.models import FeedEntry
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.api_client import ApiClient, get_row
from tests.clocks import NOON, FixedClock
from tests.factories import make_event, make_talk
from tests.http_app import create_signed_in_client, load_feed_state, write_session


@pytest.fixture
def talk_id(app: Flask) -> str:
    """Return the ID of a public talk that was last changed at NOON."""
    with write_session(app) as session:
        event = make_event(session, slug="summit")
        return make_talk(session, event, state=TalkState.CONFIRMED).id


@pytest.fixture
def impatient_app(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the app with clients that do not repeat rejected requests."""
    monkeypatch.setattr(app, "test_client_class", FlaskClient)
    return app


@pytest.mark.both_databases
def test_each_edit_of_eight_editors_is_dated_in_its_own_second_or_rejected_with_retry_after(
    impatient_app: Flask, moderator: ApiClient, talk_id: str, clock: FixedClock
) -> None:
    stamps = [NOON]
    for second in range(1, 4):
        clock.set_time(NOON + timedelta(seconds=second))
        edit = partial(moderator.patch, f"/talks/{talk_id}")
        with ThreadPoolExecutor(8) as threads:
            responses = list(threads.map(edit, [{"title": f"Title {second}.{number}"} for number in range(8)]))
        rejected = [one for one in responses if one.status != 200]
        assert len(rejected) == 7
        for one in rejected:
            assert (one.status, one.json["code"]) in {(503, "changed-too-recently"), (503, "overloaded")}
            assert one.headers["Retry-After"] == "1"
        stamps.append(get_row(impatient_app, FeedEntry, subject_id=talk_id).last_modified)
        assert load_feed_state(impatient_app).changed_at <= clock.now()
    assert stamps == [NOON + timedelta(seconds=second) for second in range(4)]


def test_private_change_succeeds_in_the_second_of_a_public_change(
    impatient_app: Flask, moderator: ApiClient, talk_id: str, clock: FixedClock
) -> None:
    assert moderator.patch(f"/talks/{talk_id}", {"notes": "For you."}).status == 200
    assert get_row(impatient_app, Talk, id=talk_id).notes == "For you."
    assert clock.now() == NOON


def test_unscheduled_talks_of_an_event_are_published_in_one_second(
    impatient_app: Flask, moderator: ApiClient, clock: FixedClock
) -> None:
    with write_session(impatient_app) as session:
        event = make_event(session, slug="hackday", programme="listed")
        ids = [make_talk(session, event, state=TalkState.SUBMITTED).id for _ in range(20)]
    assert [moderator.post(f"/talks/{talk_id}/accept").status for talk_id in ids] == [200] * 20
    assert clock.now() == NOON
    assert b"DESCRIPTION" in moderator.get_feed("/events/hackday.ics").data


def test_page_repeats_the_change_in_the_next_second(app: Flask, talk_id: str, clock: FixedClock) -> None:
    moderator = create_signed_in_client(app, "mo@example.org", role="moderator")
    talk = get_row(app, Talk, id=talk_id)
    form = {
        "csrf_token": moderator.csrf_token,
        "do": "save",
        "revision": str(talk.revision),
        "title": "A better title",
        "kind": "talk",
    }
    answer = moderator.client.post(f"/organise/summit/talks/{talk_id}", data=form)
    assert answer.status_code == 303
    assert get_row(app, Talk, id=talk_id).title == "A better title"
    assert clock.now() == NOON + timedelta(seconds=1)
