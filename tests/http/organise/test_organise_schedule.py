"""The schedule form: assigns times and rooms to many talks at once, to all of them or to none."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import Programme, TeamRole
from eventcal.events.queries import get_event
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk, TalkSpeaker
from tests.browsing import Browser
from tests.clocks import NOON
from tests.deciding import held, offer, send, talks_of
from tests.feed_support.fetching import read
from tests.http_app import database_of, writing
from tests.make import MODERATOR, make_event, make_organiser, make_speaker, make_talk
from tests.organising import HOSTILE, browser_of_member, browser_of_team, invalid_fields, is_harmless
from tests.pages import outline_faults, text_of, tree_of
from tests.statements import statements

HERE = "/organise/summit/schedule"


@pytest.fixture
def olga(app: Flask, summit: str) -> Browser:
    return browser_of_team(app, summit, "olga@example.org")


def accepted(app: Flask, *titles: str, **fields: Any) -> list[str]:
    return offer(app, "summit", *titles, state=TalkState.ACCEPTED, **fields)


def fill(browser: Browser, **rows: dict[str, str]) -> MultiDict[str, str]:
    """Open the schedule and return its form with these rows filled in; keys are `t_` and the talk's id."""
    browser.go(HERE)
    form = held(browser, HERE)
    for row, typed in rows.items():
        for name, value in typed.items():
            form[f"{row.removeprefix('t_')}-{name}"] = value
    return form


def times(app: Flask) -> dict[str, str | None]:
    return {title: talk.starts for title, talk in talks_of(app).items()}


def warned(browser: Browser) -> str:
    found = [one for one in tree_of(browser.at.text).iter("section") if one.get("aria-labelledby") == "warned"]
    return text_of(found[0]) if found else ""


def ways_in_warnings(browser: Browser) -> dict[str, str]:
    """Return the URLs of the talks named in the warnings, by title."""
    [section] = [one for one in tree_of(browser.at.text).iter("section") if one.get("aria-labelledby") == "warned"]
    return {text_of(one): one.get("href", "") for one in section.iter("a")}


def test_form_sets_times_rooms_tracks_and_lengths_of_several_talks(app: Flask, olga: Browser) -> None:
    one, two = accepted(app, "One", "Two")
    form = fill(
        olga,
        **{
            f"t_{one}": {"starts": "2026-06-11", "starts_time": "10:00", "room": "Room 1", "track": "ARM"},
            f"t_{two}": {"starts_time": "11:00", "minutes": "20", "room": "Room 2"},
        },
    )
    assert "2 talks are changed." in send(olga, HERE, form)
    found = talks_of(app)
    assert (found["One"].starts, found["One"].duration_minutes) == ("2026-06-11T10:00:00", None)
    assert (found["Two"].starts, found["Two"].duration_minutes) == ("2026-06-10T11:00:00", 20)
    assert outline_faults(tree_of(olga.at.text)) == []
    assert "Nothing was changed." in send(olga, HERE, held(olga, HERE))


def test_scheduled_confirmed_talk_is_in_calendars_immediately(app: Flask, olga: Browser) -> None:
    [talk] = offer(app, "summit", "One", state=TalkState.CONFIRMED)
    send(olga, HERE, fill(olga, **{f"t_{talk}": {"starts_time": "10:00", "room": "Room 1"}}))
    [entry] = [one for one in read(app, "/events/summit.ics").events() if one.text("SUMMARY") == "One"]
    assert "Room 1" in entry.text("LOCATION")


def test_unscheduled_talks_are_listed_first_then_by_time(app: Flask, olga: Browser) -> None:
    accepted(app, "Late", starts="2026-06-12T15:00:00")
    accepted(app, "Early", starts="2026-06-10T09:00:00")
    accepted(app, "None yet")
    offer(app, "summit", "Only submitted")

    def shown(path: str) -> list[str]:
        olga.go(path)
        return [text_of(one) for one in tree_of(olga.at.text).iter("legend")]

    assert shown(HERE) == ["None yet", "Early", "Late"]
    assert "No time yet 1" in olga.says()
    assert shown(f"{HERE}?day=none") == ["None yet"]
    assert shown(f"{HERE}?day=2026-06-12") == ["Late"]
    assert shown(f"{HERE}?day=nonsense") == ["None yet", "Early", "Late"]


def test_saving_redirects_to_the_same_day(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One", starts="2026-06-12T15:00:00")
    olga.go(f"{HERE}?day=2026-06-12")
    form = held(olga, f"{HERE}?day=2026-06-12")
    form[f"{talk}-minutes"] = "15"
    olga.at = olga.client.post(f"{HERE}?day=2026-06-12", data=form)
    assert olga.at.headers["Location"] == f"{HERE}?day=2026-06-12&done=saved&number=1"


def test_errors_are_shown_in_their_rows_and_nothing_is_saved(app: Flask, olga: Browser) -> None:
    one, two, three = accepted(app, "One", "Two", "Three")
    form = fill(
        olga,
        **{
            f"t_{one}": {"starts": "2026-07-01", "starts_time": "10:00"},
            f"t_{two}": {"minutes": "long", "room": "Nowhere"},
            f"t_{three}": {"starts_time": "12:00"},
        },
    )
    send(olga, HERE, form)
    assert olga.at.status_code == 422
    wrong = {f"{one}-starts", f"{one}-starts_time", f"{two}-minutes", f"{two}-room"}
    assert invalid_fields(olga) == wrong
    assert outline_faults(tree_of(olga.at.text)) == []
    assert times(app) == {"One": None, "Two": None, "Three": None}
    again = held(olga, HERE)
    assert (again[f"{one}-starts"], again[f"{two}-minutes"], again[f"{three}-starts_time"]) == (
        "2026-07-01",
        "long",
        "12:00",
    )
    again[f"{one}-starts"], again[f"{two}-minutes"], again[f"{two}-room"] = "2026-06-10", "", ""
    assert "2 talks are changed." in send(olga, HERE, again)
    assert times(app)["Three"] == "2026-06-10T12:00:00"


def test_conflicting_edits_of_a_row_return_409_with_the_current_value(app: Flask, olga: Browser) -> None:
    one, two = accepted(app, "One", "Two")
    otto = browser_of_team(app, "summit", "otto@example.org")
    mine = fill(olga, **{f"t_{one}": {"starts_time": "10:00"}, f"t_{two}": {"starts_time": "10:00"}})
    send(otto, HERE, fill(otto, **{f"t_{one}": {"starts_time": "15:00", "room": "Room 1"}}))
    said = send(olga, HERE, mine)
    assert olga.at.status_code == 409
    assert "There stands now: Wed, Jun 10, 3:00" in said
    assert invalid_fields(olga) == {f"{one}-starts", f"{one}-starts_time"}
    assert times(app) == {"One": "2026-06-10T15:00:00", "Two": None}
    # Submitting again overwrites the current value, which Olga has now seen.
    assert "2 talks are changed." in send(olga, HERE, held(olga, HERE))
    assert times(app) == {"One": "2026-06-10T10:00:00", "Two": "2026-06-10T10:00:00"}


def test_concurrent_edits_of_different_rows_do_not_conflict(app: Flask, olga: Browser) -> None:
    one, two = accepted(app, "One", "Two")
    otto = browser_of_team(app, "summit", "otto@example.org")
    mine = fill(olga, **{f"t_{one}": {"starts_time": "10:00"}})
    send(otto, HERE, fill(otto, **{f"t_{two}": {"starts_time": "15:00"}}))
    assert "One talk is changed." in send(olga, HERE, mine)
    assert times(app) == {"One": "2026-06-10T10:00:00", "Two": "2026-06-10T15:00:00"}


def test_of_two_simultaneous_submissions_one_is_rejected_with_409(app: Flask, olga: Browser) -> None:
    ids = accepted(app, *(f"Talk {number}" for number in range(8)))
    otto = browser_of_team(app, "summit", "otto@example.org")
    typed = {hour: {f"t_{one}": {"starts_time": hour} for one in ids} for hour in ("10:00", "15:00")}
    sent = [(olga, fill(olga, **typed["10:00"])), (otto, fill(otto, **typed["15:00"]))]
    start = Barrier(2)

    def press(number: int) -> int:
        browser, form = sent[number]
        start.wait(timeout=30)
        return browser.client.post(HERE, data=form).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(press, range(2))) == [303, 409]
    assert len(set(times(app).values())) == 1


def test_stored_end_is_kept_until_the_talk_is_moved(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One", starts="2026-06-10T10:00:00", ends="2026-06-10T11:30:00")
    olga.go(HERE)
    assert held(olga, HERE)[f"{talk}-minutes"] == "90"
    send(olga, HERE, held(olga, HERE), **{f"{talk}-room": "Room 1"})
    assert talks_of(app)["One"].ends == "2026-06-10T11:30:00"
    send(olga, HERE, held(olga, HERE), **{f"{talk}-starts_time": "12:00"})
    moved = talks_of(app)["One"]
    assert (moved.starts, moved.ends, moved.duration_minutes) == ("2026-06-10T12:00:00", None, 90)


def test_emptying_the_time_unschedules_the_talk(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One", starts="2026-06-10T10:00:00", ends="2026-06-10T11:30:00")
    send(olga, HERE, fill(olga, **{f"t_{talk}": {"starts_time": ""}}))
    assert (talks_of(app)["One"].starts, talks_of(app)["One"].ends) == (None, None)


def test_schedule_conflicts_are_warnings_and_do_not_block_saving(app: Flask, olga: Browser) -> None:
    one, two, three = accepted(app, "One", "Two", "Three")
    with writing(app) as session:
        ada = make_speaker(session, name="Ada")
        session.add_all([TalkSpeaker(talk_id=talk, speaker_id=ada.id, position=1) for talk in (one, three)])
    form = fill(
        olga,
        **{
            f"t_{one}": {"starts_time": "10:00", "room": "Room 1"},
            f"t_{two}": {"starts_time": "10:30", "room": "Room 1"},
            f"t_{three}": {"starts_time": "10:40", "room": "Room 2"},
        },
    )
    assert "3 talks are changed." in send(olga, HERE, form)
    said = warned(olga)
    assert "Two talks are in the same room at once: Room 1, Wed, Jun 10, 10:30 AM. OneTwo" in said.replace(
        "\u202f", " "
    )
    assert "One speaker is in two talks at once: Ada, Wed, Jun 10, 10:40 AM. OneThree" in said.replace("\u202f", " ")
    send(olga, HERE, held(olga, HERE), **{f"{one}-starts_time": "09:00"})
    assert warned(olga) == ""


def test_talk_outside_the_event_times_causes_a_warning(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="evening", starts="2026-06-10T18:00:00", ends="2026-06-10T21:00:00")
        make_organiser(session, event, email="eve@example.org")
        make_talk(session, event, title="Too early", starts="2026-06-10T09:00:00", state=TalkState.CONFIRMED)
        make_talk(session, event, title="In time", starts="2026-06-10T18:00:00", state=TalkState.CONFIRMED)
    eve = browser_of_member(app, "eve@example.org")
    eve.go("/organise/evening/schedule")
    assert "This talk is not within the event's own times: Too early" in warned(eve)
    assert "In time" not in warned(eve)


def test_nonexistent_local_time_is_an_error_in_its_row(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="spring", starts="2026-03-29", ends="2026-03-29")
        make_organiser(session, event, email="eve@example.org")
    [talk] = offer(app, "spring", "One", state=TalkState.ACCEPTED)
    eve = browser_of_member(app, "eve@example.org")
    eve.go("/organise/spring/schedule")
    form = held(eve, "/organise/spring/schedule")
    send(eve, "/organise/spring/schedule", form, **{f"{talk}-starts_time": "02:30"})
    assert (eve.at.status_code, invalid_fields(eve)) == (422, {f"{talk}-starts", f"{talk}-starts_time"})


def test_day_of_a_talk_at_a_recurring_event_is_entered_as_a_date(app: Flask) -> None:
    with writing(app) as session:
        event = make_event(session, slug="weekly", starts="2026-06-10", ends="2026-06-10", recurrence="FREQ=WEEKLY")
        make_organiser(session, event, email="eve@example.org")
    [talk] = offer(app, "weekly", "One", state=TalkState.ACCEPTED)
    eve = browser_of_member(app, "eve@example.org")
    eve.go("/organise/weekly/schedule")
    form = held(eve, "/organise/weekly/schedule")
    typed = {f"{talk}-starts": "2026-06-24", f"{talk}-starts_time": "19:00"}
    assert "One talk is changed." in send(eve, "/organise/weekly/schedule", form, **typed)
    assert warned(eve) == ""
    assert talks_of(app)["One"].starts == "2026-06-24T19:00:00"


def test_more_than_fifty_talks_are_paginated(app: Flask, olga: Browser) -> None:
    accepted(app, *(f"Talk {number:02}" for number in range(60)))
    olga.go(HERE)
    first = held(olga, HERE).getlist("row")
    link = next(one for one in tree_of(olga.at.text).iter("a") if text_of(one) == "More talks").get("href", "")
    olga.go(link)
    assert len(set(first) | set(held(olga, link).getlist("row"))) == 60


def test_schedule_rejects_foreign_talks_missing_permission_and_too_many_rows(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        make_event(session, slug="other")
    [own] = accepted(app, "One")
    [theirs] = offer(app, "other", "Theirs", state=TalkState.ACCEPTED)
    form = fill(olga, **{f"t_{own}": {"starts_time": "10:00"}})
    form.add("row", theirs)
    form[f"{theirs}-starts_time"] = "10:00"
    assert olga.client.post(HERE, data=form).status_code == 404
    csrf = form["csrf_token"]
    assert olga.client.post("/organise/other/schedule", data={"csrf_token": csrf, "row": theirs}).status_code == 403
    assert olga.client.post(HERE, data={"row": own, f"{own}-starts_time": "10:00"}).status_code == 403
    many = MultiDict([("csrf_token", csrf), *(("row", str(number)) for number in range(201))])
    assert olga.client.post(HERE, data=many).status_code == 422
    assert set(times(app).values()) == {None}


def test_row_without_its_original_values_overwrites_nothing(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One", starts="2026-06-10T10:00:00")
    form = fill(olga)
    for name in ("revision", "was", "starts", "starts_time", "room"):
        form.poplist(f"{talk}-{name}")
    assert olga.client.post(HERE, data=form).status_code == 409
    assert times(app) == {"One": "2026-06-10T10:00:00"}


def test_talk_withdrawn_meanwhile_is_not_scheduled(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One")
    form = fill(olga, **{f"t_{talk}": {"starts_time": "10:00"}})
    with writing(app) as session:
        session.get_one(Talk, talk).state = TalkState.WITHDRAWN
    send(olga, HERE, form)
    assert (olga.at.status_code, "Withdrawn" in olga.says(), times(app)) == (409, True, {"One": None})


def test_warnings_link_to_rows_on_the_page_or_else_to_the_talk_page(app: Flask, olga: Browser) -> None:
    early, late = accepted(app, "Early", "Late", duration_minutes=120)
    form = fill(
        olga,
        **{
            f"t_{early}": {"starts_time": "23:00", "room": "Room 1"},
            f"t_{late}": {"starts": "2026-06-11", "starts_time": "00:30", "room": "Room 1"},
        },
    )
    send(olga, HERE, form)
    assert ways_in_warnings(olga) == {"Early": f"#talk-{early}", "Late": f"#talk-{late}"}
    assert {f"talk-{early}", f"talk-{late}"} <= {one.get("id") for one in tree_of(olga.at.text).iter("li")}
    olga.go(f"{HERE}?day=2026-06-11")
    assert ways_in_warnings(olga) == {"Early": f"/organise/summit/talks/{early}", "Late": f"#talk-{late}"}


def test_warnings_have_the_status_role_only_after_saving(app: Flask, olga: Browser) -> None:
    both: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "state": TalkState.CONFIRMED}
    in_one_room = fill(olga, **{f"t_{talk}": {"room": "Room 1"} for talk in offer(app, "summit", "One", "Two", **both)})

    def statuses() -> str:
        return " ".join(text_of(one) for one in tree_of(olga.at.text).iter() if one.get("role") == "status")

    assert "Two talks are in the same room" in send(olga, HERE, in_one_room)
    assert "Two talks are in the same room" in statuses()
    olga.go(HERE)
    assert "Two talks are in the same room" in warned(olga)
    assert statuses() == ""


def test_hostile_titles_are_escaped_in_rows_warnings_and_errors(app: Flask, olga: Browser) -> None:
    with writing(app) as session:
        event = get_event(session, "summit", MODERATOR)
        at_ten: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "state": TalkState.ACCEPTED, "room": "Room 1"}
        one, _two = (make_talk(session, event, title=HOSTILE, **at_ten).id for _ in range(2))
    form = fill(olga, **{f"t_{one}": {"minutes": HOSTILE}})
    assert is_harmless(olga)
    assert "alert(1)" in warned(olga)
    send(olga, HERE, form)
    assert (olga.at.status_code, is_harmless(olga)) == (422, True)
    assert held(olga, HERE)[f"{one}-minutes"] == HOSTILE


def test_unchanged_rows_keep_their_revision(app: Flask, olga: Browser) -> None:
    one, _two = accepted(app, "One", "Two")
    before = {title: talk.revision for title, talk in talks_of(app).items()}
    send(olga, HERE, fill(olga, **{f"t_{one}": {"starts_time": "10:00"}}))
    after = {title: talk.revision for title, talk in talks_of(app).items()}
    assert after["One"] > before["One"]
    assert after["Two"] == before["Two"]


def test_schedule_of_an_event_without_rooms_links_to_the_rooms_page(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="bare")
    offer(app, "bare", "One", state=TalkState.ACCEPTED)
    eve = browser_of_team(app, "bare", "eve@example.org")
    assert "The event has no rooms yet: add some." in eve.go("/organise/bare/schedule")
    ways = {text_of(one): one.get("href") for one in tree_of(eve.at.text).iter("a")}
    assert ways["The event has no rooms yet: add some."] == "/organise/bare/parts"
    assert not [one for one in tree_of(eve.at.text).iter("select") if one.get("name", "").endswith(("-room", "-track"))]


def test_organisers_of_a_listed_event_can_schedule_accepted_talks(app: Flask) -> None:
    with writing(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED, rooms=["Janson"])
    [talk] = offer(app, "fosdem", "Taken", state=TalkState.ACCEPTED)
    offer(app, "fosdem", "Waits")
    eve = browser_of_team(app, "fosdem", "eve@example.org")
    there = "/organise/fosdem/schedule"
    assert "Waits" not in eve.go(there)
    assert "a moderator decides which of its talks are shown" in eve.says()
    assert "One talk is changed." in send(eve, there, held(eve, there), **{f"{talk}-room": "Janson"})


def test_organisers_cannot_schedule_an_erased_event(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One")
    form = fill(olga, **{f"t_{talk}": {"starts_time": "10:00"}})
    with writing(app) as session:
        get_event(session, "summit", MODERATOR).redacted_at = NOON
    answer = olga.client.post(HERE, data=form, headers={"Accept": "text/html"})
    assert (answer.status_code, "only a moderator may change it now" in answer.text) == (403, True)
    assert "only a moderator decides on its talks now" in olga.go(HERE)
    assert list(tree_of(olga.at.text).iter("form")) == []
    assert times(app) == {"One": None}


def test_reviewer_can_view_but_not_change_the_schedule(app: Flask, olga: Browser) -> None:
    [talk] = accepted(app, "One")
    accepted(app, "Two", starts="2026-06-10T10:00:00", room="Room 1")
    rita = browser_of_team(app, "summit", "rita@example.org", role=TeamRole.REVIEWER)
    said = rita.go(HERE)
    assert "You review this event" in said
    assert "It has no time yet." in said
    assert "Room 1" in said
    assert (list(tree_of(rita.at.text).iter("form")), outline_faults(tree_of(rita.at.text))) == ([], [])
    rita.go("/organise/summit")
    assert HERE in {one.get("href") for one in tree_of(rita.at.text).iter("a")}
    form = fill(olga, **{f"t_{talk}": {"starts_time": "10:00"}})
    rita.go("/propose")
    form["csrf_token"] = rita.fields("/propose", "propose")["csrf_token"]
    assert rita.client.post(HERE, data=form).status_code == 403
    assert times(app)["One"] is None


def test_number_of_statements_does_not_depend_on_the_number_of_talks(app: Flask, olga: Browser) -> None:
    def crowd(number: int) -> None:
        with writing(app) as session:
            event = get_event(session, "summit", MODERATOR)
            at_ten: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "room": "Room 1", "track": "ARM"}
            for _ in range(number):
                make_talk(session, event, state=TalkState.CONFIRMED, speakers=[make_speaker(session)], **at_ten)

    def cost(minutes: str) -> tuple[int, int, int]:
        olga.go(HERE)
        form = held(olga, HERE)
        [first, *_others] = form.getlist("row")
        form[f"{first}-minutes"] = "long"
        with statements(database_of(app)) as shown:
            assert olga.client.get(HERE).status_code == 200
        with statements(database_of(app)) as refused:
            assert olga.client.post(HERE, data=form).status_code == 422
        form[f"{first}-minutes"] = minutes
        with statements(database_of(app)) as saved:
            assert olga.client.post(HERE, data=form).status_code == 303
        return len(shown), len(refused), len(saved)

    crowd(5)
    few = cost("20")
    crowd(45)
    assert cost("30") == few
