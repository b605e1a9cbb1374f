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
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, make_event, make_organiser, make_speaker, make_talk
from tests.feed_support.feed_client import fetch_feed
from tests.html_browser import HtmlBrowser
from tests.html_pages import accessibility_errors, element_text, parse_html
from tests.http_app import database_of, write_session
from tests.sql_statements import record_statements
from tests.talk_decisions import create_submitted_talks, get_form_data, submit_form_data, talks_by_title
from tests.team_browsers import (
    HOSTILE_TEXT,
    create_member_browser,
    create_team_browser,
    invalid_field_names,
    is_hostile_text_escaped,
)

PAGE_PATH = "/organise/summit/schedule"


@pytest.fixture
def organiser_browser(app: Flask, summit: str) -> HtmlBrowser:
    return create_team_browser(app, summit, "olga@example.org")


def add_accepted_talks(app: Flask, *titles: str, **fields: Any) -> list[str]:
    return create_submitted_talks(app, "summit", *titles, state=TalkState.ACCEPTED, **fields)


def fill_schedule_form(browser: HtmlBrowser, **rows: dict[str, str]) -> MultiDict[str, str]:
    """Open the schedule and return its form with these rows filled in; keys are `t_` and the talk's id."""
    browser.visit(PAGE_PATH)
    form = get_form_data(browser, PAGE_PATH)
    for row, typed in rows.items():
        for name, value in typed.items():
            form[f"{row.removeprefix('t_')}-{name}"] = value
    return form


def load_start_times(app: Flask) -> dict[str, str | None]:
    return {title: talk.starts for title, talk in talks_by_title(app).items()}


def warnings_text(browser: HtmlBrowser) -> str:
    found = [one for one in parse_html(browser.response.text).iter("section") if one.get("aria-labelledby") == "warned"]
    return element_text(found[0]) if found else ""


def talk_links_in_warnings(browser: HtmlBrowser) -> dict[str, str]:
    """Return the URLs of the talks named in the warnings, by title."""
    [section] = [
        one for one in parse_html(browser.response.text).iter("section") if one.get("aria-labelledby") == "warned"
    ]
    return {element_text(one): one.get("href", "") for one in section.iter("a")}


def test_form_sets_times_rooms_tracks_and_lengths_of_several_talks(app: Flask, organiser_browser: HtmlBrowser) -> None:
    one, two = add_accepted_talks(app, "One", "Two")
    form = fill_schedule_form(
        organiser_browser,
        **{
            f"t_{one}": {"starts": "2026-06-11", "starts_time": "10:00", "room": "Room 1", "track": "ARM"},
            f"t_{two}": {"starts_time": "11:00", "minutes": "20", "room": "Room 2"},
        },
    )
    assert "2 talks are changed." in submit_form_data(organiser_browser, PAGE_PATH, form)
    found = talks_by_title(app)
    assert (found["One"].starts, found["One"].duration_minutes) == ("2026-06-11T10:00:00", None)
    assert (found["Two"].starts, found["Two"].duration_minutes) == ("2026-06-10T11:00:00", 20)
    assert accessibility_errors(parse_html(organiser_browser.response.text)) == []
    assert "Nothing was changed." in submit_form_data(
        organiser_browser, PAGE_PATH, get_form_data(organiser_browser, PAGE_PATH)
    )


def test_scheduled_confirmed_talk_is_in_calendars_immediately(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = create_submitted_talks(app, "summit", "One", state=TalkState.CONFIRMED)
    submit_form_data(
        organiser_browser,
        PAGE_PATH,
        fill_schedule_form(organiser_browser, **{f"t_{talk}": {"starts_time": "10:00", "room": "Room 1"}}),
    )
    [entry] = [one for one in fetch_feed(app, "/events/summit.ics").events() if one.text("SUMMARY") == "One"]
    assert "Room 1" in entry.text("LOCATION")


def test_unscheduled_talks_are_listed_first_then_by_time(app: Flask, organiser_browser: HtmlBrowser) -> None:
    add_accepted_talks(app, "Late", starts="2026-06-12T15:00:00")
    add_accepted_talks(app, "Early", starts="2026-06-10T09:00:00")
    add_accepted_talks(app, "None yet")
    create_submitted_talks(app, "summit", "Only submitted")

    def shown(path: str) -> list[str]:
        organiser_browser.visit(path)
        return [element_text(one) for one in parse_html(organiser_browser.response.text).iter("legend")]

    assert shown(PAGE_PATH) == ["None yet", "Early", "Late"]
    assert "No time yet 1" in organiser_browser.main_text()
    assert shown(f"{PAGE_PATH}?day=none") == ["None yet"]
    assert shown(f"{PAGE_PATH}?day=2026-06-12") == ["Late"]
    assert shown(f"{PAGE_PATH}?day=nonsense") == ["None yet", "Early", "Late"]


def test_saving_redirects_to_the_same_day(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One", starts="2026-06-12T15:00:00")
    organiser_browser.visit(f"{PAGE_PATH}?day=2026-06-12")
    form = get_form_data(organiser_browser, f"{PAGE_PATH}?day=2026-06-12")
    form[f"{talk}-minutes"] = "15"
    organiser_browser.response = organiser_browser.client.post(f"{PAGE_PATH}?day=2026-06-12", data=form)
    assert organiser_browser.response.headers["Location"] == f"{PAGE_PATH}?day=2026-06-12&done=saved&number=1"


def test_errors_are_shown_in_their_rows_and_nothing_is_saved(app: Flask, organiser_browser: HtmlBrowser) -> None:
    one, two, three = add_accepted_talks(app, "One", "Two", "Three")
    form = fill_schedule_form(
        organiser_browser,
        **{
            f"t_{one}": {"starts": "2026-07-01", "starts_time": "10:00"},
            f"t_{two}": {"minutes": "long", "room": "Nowhere"},
            f"t_{three}": {"starts_time": "12:00"},
        },
    )
    submit_form_data(organiser_browser, PAGE_PATH, form)
    assert organiser_browser.response.status_code == 422
    wrong = {f"{one}-starts", f"{one}-starts_time", f"{two}-minutes", f"{two}-room"}
    assert invalid_field_names(organiser_browser) == wrong
    assert accessibility_errors(parse_html(organiser_browser.response.text)) == []
    assert load_start_times(app) == {"One": None, "Two": None, "Three": None}
    again = get_form_data(organiser_browser, PAGE_PATH)
    assert (again[f"{one}-starts"], again[f"{two}-minutes"], again[f"{three}-starts_time"]) == (
        "2026-07-01",
        "long",
        "12:00",
    )
    again[f"{one}-starts"], again[f"{two}-minutes"], again[f"{two}-room"] = "2026-06-10", "", ""
    assert "2 talks are changed." in submit_form_data(organiser_browser, PAGE_PATH, again)
    assert load_start_times(app)["Three"] == "2026-06-10T12:00:00"


def test_conflicting_edits_of_a_row_return_409_with_the_current_value(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    one, two = add_accepted_talks(app, "One", "Two")
    otto = create_team_browser(app, "summit", "otto@example.org")
    mine = fill_schedule_form(
        organiser_browser, **{f"t_{one}": {"starts_time": "10:00"}, f"t_{two}": {"starts_time": "10:00"}}
    )
    submit_form_data(
        otto, PAGE_PATH, fill_schedule_form(otto, **{f"t_{one}": {"starts_time": "15:00", "room": "Room 1"}})
    )
    said = submit_form_data(organiser_browser, PAGE_PATH, mine)
    assert organiser_browser.response.status_code == 409
    assert "There stands now: Wed, Jun 10, 3:00" in said
    assert invalid_field_names(organiser_browser) == {f"{one}-starts", f"{one}-starts_time"}
    assert load_start_times(app) == {"One": "2026-06-10T15:00:00", "Two": None}
    # Submitting again overwrites the current value, which Olga has now seen.
    assert "2 talks are changed." in submit_form_data(
        organiser_browser, PAGE_PATH, get_form_data(organiser_browser, PAGE_PATH)
    )
    assert load_start_times(app) == {"One": "2026-06-10T10:00:00", "Two": "2026-06-10T10:00:00"}


def test_concurrent_edits_of_different_rows_do_not_conflict(app: Flask, organiser_browser: HtmlBrowser) -> None:
    one, two = add_accepted_talks(app, "One", "Two")
    otto = create_team_browser(app, "summit", "otto@example.org")
    mine = fill_schedule_form(organiser_browser, **{f"t_{one}": {"starts_time": "10:00"}})
    submit_form_data(otto, PAGE_PATH, fill_schedule_form(otto, **{f"t_{two}": {"starts_time": "15:00"}}))
    assert "One talk is changed." in submit_form_data(organiser_browser, PAGE_PATH, mine)
    assert load_start_times(app) == {"One": "2026-06-10T10:00:00", "Two": "2026-06-10T15:00:00"}


def test_of_two_simultaneous_submissions_one_is_rejected_with_409(app: Flask, organiser_browser: HtmlBrowser) -> None:
    ids = add_accepted_talks(app, *(f"Talk {number}" for number in range(8)))
    otto = create_team_browser(app, "summit", "otto@example.org")
    typed = {hour: {f"t_{one}": {"starts_time": hour} for one in ids} for hour in ("10:00", "15:00")}
    sent = [
        (organiser_browser, fill_schedule_form(organiser_browser, **typed["10:00"])),
        (otto, fill_schedule_form(otto, **typed["15:00"])),
    ]
    start = Barrier(2)

    def press(number: int) -> int:
        browser, form = sent[number]
        start.wait(timeout=30)
        return browser.client.post(PAGE_PATH, data=form).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(press, range(2))) == [303, 409]
    assert len(set(load_start_times(app).values())) == 1


def test_stored_end_is_kept_until_the_talk_is_moved(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One", starts="2026-06-10T10:00:00", ends="2026-06-10T11:30:00")
    organiser_browser.visit(PAGE_PATH)
    assert get_form_data(organiser_browser, PAGE_PATH)[f"{talk}-minutes"] == "90"
    submit_form_data(
        organiser_browser, PAGE_PATH, get_form_data(organiser_browser, PAGE_PATH), **{f"{talk}-room": "Room 1"}
    )
    assert talks_by_title(app)["One"].ends == "2026-06-10T11:30:00"
    submit_form_data(
        organiser_browser, PAGE_PATH, get_form_data(organiser_browser, PAGE_PATH), **{f"{talk}-starts_time": "12:00"}
    )
    moved = talks_by_title(app)["One"]
    assert (moved.starts, moved.ends, moved.duration_minutes) == ("2026-06-10T12:00:00", None, 90)


def test_emptying_the_time_unschedules_the_talk(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One", starts="2026-06-10T10:00:00", ends="2026-06-10T11:30:00")
    submit_form_data(
        organiser_browser, PAGE_PATH, fill_schedule_form(organiser_browser, **{f"t_{talk}": {"starts_time": ""}})
    )
    assert (talks_by_title(app)["One"].starts, talks_by_title(app)["One"].ends) == (None, None)


def test_schedule_conflicts_are_warnings_and_do_not_block_saving(app: Flask, organiser_browser: HtmlBrowser) -> None:
    one, two, three = add_accepted_talks(app, "One", "Two", "Three")
    with write_session(app) as session:
        ada = make_speaker(session, name="Ada")
        session.add_all([TalkSpeaker(talk_id=talk, speaker_id=ada.id, position=1) for talk in (one, three)])
    form = fill_schedule_form(
        organiser_browser,
        **{
            f"t_{one}": {"starts_time": "10:00", "room": "Room 1"},
            f"t_{two}": {"starts_time": "10:30", "room": "Room 1"},
            f"t_{three}": {"starts_time": "10:40", "room": "Room 2"},
        },
    )
    assert "3 talks are changed." in submit_form_data(organiser_browser, PAGE_PATH, form)
    said = warnings_text(organiser_browser)
    assert "Two talks are in the same room at once: Room 1, Wed, Jun 10, 10:30 AM. OneTwo" in said.replace(
        "\u202f", " "
    )
    assert "One speaker is in two talks at once: Ada, Wed, Jun 10, 10:40 AM. OneThree" in said.replace("\u202f", " ")
    submit_form_data(
        organiser_browser, PAGE_PATH, get_form_data(organiser_browser, PAGE_PATH), **{f"{one}-starts_time": "09:00"}
    )
    assert warnings_text(organiser_browser) == ""


def test_talk_outside_the_event_times_causes_a_warning(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="evening", starts="2026-06-10T18:00:00", ends="2026-06-10T21:00:00")
        make_organiser(session, event, email="eve@example.org")
        make_talk(session, event, title="Too early", starts="2026-06-10T09:00:00", state=TalkState.CONFIRMED)
        make_talk(session, event, title="In time", starts="2026-06-10T18:00:00", state=TalkState.CONFIRMED)
    eve = create_member_browser(app, "eve@example.org")
    eve.visit("/organise/evening/schedule")
    assert "This talk is not within the event's own times: Too early" in warnings_text(eve)
    assert "In time" not in warnings_text(eve)


def test_nonexistent_local_time_is_an_error_in_its_row(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="spring", starts="2026-03-29", ends="2026-03-29")
        make_organiser(session, event, email="eve@example.org")
    [talk] = create_submitted_talks(app, "spring", "One", state=TalkState.ACCEPTED)
    eve = create_member_browser(app, "eve@example.org")
    eve.visit("/organise/spring/schedule")
    form = get_form_data(eve, "/organise/spring/schedule")
    submit_form_data(eve, "/organise/spring/schedule", form, **{f"{talk}-starts_time": "02:30"})
    assert (eve.response.status_code, invalid_field_names(eve)) == (422, {f"{talk}-starts", f"{talk}-starts_time"})


def test_day_of_a_talk_at_a_recurring_event_is_entered_as_a_date(app: Flask) -> None:
    with write_session(app) as session:
        event = make_event(session, slug="weekly", starts="2026-06-10", ends="2026-06-10", recurrence="FREQ=WEEKLY")
        make_organiser(session, event, email="eve@example.org")
    [talk] = create_submitted_talks(app, "weekly", "One", state=TalkState.ACCEPTED)
    eve = create_member_browser(app, "eve@example.org")
    eve.visit("/organise/weekly/schedule")
    form = get_form_data(eve, "/organise/weekly/schedule")
    typed = {f"{talk}-starts": "2026-06-24", f"{talk}-starts_time": "19:00"}
    assert "One talk is changed." in submit_form_data(eve, "/organise/weekly/schedule", form, **typed)
    assert warnings_text(eve) == ""
    assert talks_by_title(app)["One"].starts == "2026-06-24T19:00:00"


def test_more_than_fifty_talks_are_paginated(app: Flask, organiser_browser: HtmlBrowser) -> None:
    add_accepted_talks(app, *(f"Talk {number:02}" for number in range(60)))
    organiser_browser.visit(PAGE_PATH)
    first = get_form_data(organiser_browser, PAGE_PATH).getlist("row")
    link = next(
        one for one in parse_html(organiser_browser.response.text).iter("a") if element_text(one) == "More talks"
    ).get("href", "")
    organiser_browser.visit(link)
    assert len(set(first) | set(get_form_data(organiser_browser, link).getlist("row"))) == 60


def test_schedule_rejects_foreign_talks_missing_permission_and_too_many_rows(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    with write_session(app) as session:
        make_event(session, slug="other")
    [own] = add_accepted_talks(app, "One")
    [theirs] = create_submitted_talks(app, "other", "Theirs", state=TalkState.ACCEPTED)
    form = fill_schedule_form(organiser_browser, **{f"t_{own}": {"starts_time": "10:00"}})
    form.add("row", theirs)
    form[f"{theirs}-starts_time"] = "10:00"
    assert organiser_browser.client.post(PAGE_PATH, data=form).status_code == 404
    csrf = form["csrf_token"]
    assert (
        organiser_browser.client.post("/organise/other/schedule", data={"csrf_token": csrf, "row": theirs}).status_code
        == 403
    )
    assert organiser_browser.client.post(PAGE_PATH, data={"row": own, f"{own}-starts_time": "10:00"}).status_code == 403
    many = MultiDict([("csrf_token", csrf), *(("row", str(number)) for number in range(201))])
    assert organiser_browser.client.post(PAGE_PATH, data=many).status_code == 422
    assert set(load_start_times(app).values()) == {None}


def test_row_without_its_original_values_overwrites_nothing(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One", starts="2026-06-10T10:00:00")
    form = fill_schedule_form(organiser_browser)
    for name in ("revision", "was", "starts", "starts_time", "room"):
        form.poplist(f"{talk}-{name}")
    assert organiser_browser.client.post(PAGE_PATH, data=form).status_code == 409
    assert load_start_times(app) == {"One": "2026-06-10T10:00:00"}


def test_talk_withdrawn_meanwhile_is_not_scheduled(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One")
    form = fill_schedule_form(organiser_browser, **{f"t_{talk}": {"starts_time": "10:00"}})
    with write_session(app) as session:
        session.get_one(Talk, talk).state = TalkState.WITHDRAWN
    submit_form_data(organiser_browser, PAGE_PATH, form)
    assert (
        organiser_browser.response.status_code,
        "Withdrawn" in organiser_browser.main_text(),
        load_start_times(app),
    ) == (409, True, {"One": None})


def test_warnings_link_to_rows_on_the_page_or_else_to_the_talk_page(app: Flask, organiser_browser: HtmlBrowser) -> None:
    early, late = add_accepted_talks(app, "Early", "Late", duration_minutes=120)
    form = fill_schedule_form(
        organiser_browser,
        **{
            f"t_{early}": {"starts_time": "23:00", "room": "Room 1"},
            f"t_{late}": {"starts": "2026-06-11", "starts_time": "00:30", "room": "Room 1"},
        },
    )
    submit_form_data(organiser_browser, PAGE_PATH, form)
    assert talk_links_in_warnings(organiser_browser) == {"Early": f"#talk-{early}", "Late": f"#talk-{late}"}
    assert {f"talk-{early}", f"talk-{late}"} <= {
        one.get("id") for one in parse_html(organiser_browser.response.text).iter("li")
    }
    organiser_browser.visit(f"{PAGE_PATH}?day=2026-06-11")
    assert talk_links_in_warnings(organiser_browser) == {
        "Early": f"/organise/summit/talks/{early}",
        "Late": f"#talk-{late}",
    }


def test_warnings_have_the_status_role_only_after_saving(app: Flask, organiser_browser: HtmlBrowser) -> None:
    both: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "state": TalkState.CONFIRMED}
    in_one_room = fill_schedule_form(
        organiser_browser,
        **{f"t_{talk}": {"room": "Room 1"} for talk in create_submitted_talks(app, "summit", "One", "Two", **both)},
    )

    def statuses() -> str:
        return " ".join(
            element_text(one)
            for one in parse_html(organiser_browser.response.text).iter()
            if one.get("role") == "status"
        )

    assert "Two talks are in the same room" in submit_form_data(organiser_browser, PAGE_PATH, in_one_room)
    assert "Two talks are in the same room" in statuses()
    organiser_browser.visit(PAGE_PATH)
    assert "Two talks are in the same room" in warnings_text(organiser_browser)
    assert statuses() == ""


def test_hostile_titles_are_escaped_in_rows_warnings_and_errors(app: Flask, organiser_browser: HtmlBrowser) -> None:
    with write_session(app) as session:
        event = get_event(session, "summit", MODERATOR_CALLER)
        at_ten: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "state": TalkState.ACCEPTED, "room": "Room 1"}
        one, _two = (make_talk(session, event, title=HOSTILE_TEXT, **at_ten).id for _ in range(2))
    form = fill_schedule_form(organiser_browser, **{f"t_{one}": {"minutes": HOSTILE_TEXT}})
    assert is_hostile_text_escaped(organiser_browser)
    assert "alert(1)" in warnings_text(organiser_browser)
    submit_form_data(organiser_browser, PAGE_PATH, form)
    assert (organiser_browser.response.status_code, is_hostile_text_escaped(organiser_browser)) == (422, True)
    assert get_form_data(organiser_browser, PAGE_PATH)[f"{one}-minutes"] == HOSTILE_TEXT


def test_unchanged_rows_keep_their_revision(app: Flask, organiser_browser: HtmlBrowser) -> None:
    one, _two = add_accepted_talks(app, "One", "Two")
    before = {title: talk.revision for title, talk in talks_by_title(app).items()}
    submit_form_data(
        organiser_browser, PAGE_PATH, fill_schedule_form(organiser_browser, **{f"t_{one}": {"starts_time": "10:00"}})
    )
    after = {title: talk.revision for title, talk in talks_by_title(app).items()}
    assert after["One"] > before["One"]
    assert after["Two"] == before["Two"]


def test_schedule_of_an_event_without_rooms_links_to_the_rooms_page(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="bare")
    create_submitted_talks(app, "bare", "One", state=TalkState.ACCEPTED)
    eve = create_team_browser(app, "bare", "eve@example.org")
    assert "The event has no rooms yet: add some." in eve.visit("/organise/bare/schedule")
    ways = {element_text(one): one.get("href") for one in parse_html(eve.response.text).iter("a")}
    assert ways["The event has no rooms yet: add some."] == "/organise/bare/parts"
    assert not [
        one for one in parse_html(eve.response.text).iter("select") if one.get("name", "").endswith(("-room", "-track"))
    ]


def test_organisers_of_a_listed_event_can_schedule_accepted_talks(app: Flask) -> None:
    with write_session(app) as session:
        make_event(session, slug="fosdem", programme=Programme.LISTED, rooms=["Janson"])
    [talk] = create_submitted_talks(app, "fosdem", "Taken", state=TalkState.ACCEPTED)
    create_submitted_talks(app, "fosdem", "Waits")
    eve = create_team_browser(app, "fosdem", "eve@example.org")
    there = "/organise/fosdem/schedule"
    assert "Waits" not in eve.visit(there)
    assert "a moderator decides which of its talks are shown" in eve.main_text()
    assert "One talk is changed." in submit_form_data(
        eve, there, get_form_data(eve, there), **{f"{talk}-room": "Janson"}
    )


def test_organisers_cannot_schedule_an_erased_event(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One")
    form = fill_schedule_form(organiser_browser, **{f"t_{talk}": {"starts_time": "10:00"}})
    with write_session(app) as session:
        get_event(session, "summit", MODERATOR_CALLER).redacted_at = NOON
    answer = organiser_browser.client.post(PAGE_PATH, data=form, headers={"Accept": "text/html"})
    assert (answer.status_code, "Only a moderator may change it" in answer.text) == (403, True)
    assert "only a moderator decides on its talks now" in organiser_browser.visit(PAGE_PATH)
    assert list(parse_html(organiser_browser.response.text).iter("form")) == []
    assert load_start_times(app) == {"One": None}


def test_reviewer_can_view_but_not_change_the_schedule(app: Flask, organiser_browser: HtmlBrowser) -> None:
    [talk] = add_accepted_talks(app, "One")
    add_accepted_talks(app, "Two", starts="2026-06-10T10:00:00", room="Room 1")
    rita = create_team_browser(app, "summit", "rita@example.org", role=TeamRole.REVIEWER)
    said = rita.visit(PAGE_PATH)
    assert "You review this event" in said
    assert "It has no time yet." in said
    assert "Room 1" in said
    assert (
        list(parse_html(rita.response.text).iter("form")),
        accessibility_errors(parse_html(rita.response.text)),
    ) == ([], [])
    rita.visit("/organise/summit")
    assert PAGE_PATH in {one.get("href") for one in parse_html(rita.response.text).iter("a")}
    form = fill_schedule_form(organiser_browser, **{f"t_{talk}": {"starts_time": "10:00"}})
    rita.visit("/propose")
    form["csrf_token"] = rita.form_values("/propose", "propose")["csrf_token"]
    assert rita.client.post(PAGE_PATH, data=form).status_code == 403
    assert load_start_times(app)["One"] is None


def test_number_of_statements_does_not_depend_on_the_number_of_talks(
    app: Flask, organiser_browser: HtmlBrowser
) -> None:
    def crowd(number: int) -> None:
        with write_session(app) as session:
            event = get_event(session, "summit", MODERATOR_CALLER)
            at_ten: dict[str, Any] = {"starts": "2026-06-10T10:00:00", "room": "Room 1", "track": "ARM"}
            for _ in range(number):
                make_talk(session, event, state=TalkState.CONFIRMED, speakers=[make_speaker(session)], **at_ten)

    def cost(minutes: str) -> tuple[int, int, int]:
        organiser_browser.visit(PAGE_PATH)
        form = get_form_data(organiser_browser, PAGE_PATH)
        [first, *_others] = form.getlist("row")
        form[f"{first}-minutes"] = "long"
        with record_statements(database_of(app)) as shown:
            assert organiser_browser.client.get(PAGE_PATH).status_code == 200
        with record_statements(database_of(app)) as refused:
            assert organiser_browser.client.post(PAGE_PATH, data=form).status_code == 422
        form[f"{first}-minutes"] = minutes
        with record_statements(database_of(app)) as saved:
            assert organiser_browser.client.post(PAGE_PATH, data=form).status_code == 303
        return len(shown), len(refused), len(saved)

    crowd(5)
    few = cost("20")
    crowd(45)
    assert cost("30") == few
