"""Helpers for tests of talk decisions and schedules: talks in every state, and forms with repeated field names."""

from collections.abc import Iterable
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from eventcal.events.models import Event
from eventcal.events.queries import get_event
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from tests.factories import MODERATOR_CALLER, make_member, make_speaker, make_talk
from tests.html_browser import HtmlBrowser
from tests.html_pages import html_parse_errors, parse_html
from tests.http_app import database_of, write_session


def create_submitted_talks(
    app: Flask,
    slug: str,
    *titles: str,
    state: TalkState = TalkState.SUBMITTED,
    **fields: Any,
) -> list[str]:
    """Create talks at an event, each submitted and given by a different member, and return their ids."""
    with write_session(app) as session:
        event = get_event(session, slug, MODERATOR_CALLER)
        made = []
        for title in titles:
            member = make_member(
                session, email=f"{title.lower().replace(' ', '-')}@example.org", name=f"Who gives {title}"
            )
            speaker = make_speaker(session, member=member, name=member.name)
            made.append(
                make_talk(session, event, title=title, state=state, submitter=member, speakers=[speaker], **fields).id
            )
        return made


def talks_by_title(app: Flask) -> dict[str, Talk]:
    with database_of(app).read_session() as session:
        return {talk.title: talk for talk in session.scalars(select(Talk))}


def states_by_title(app: Flask) -> dict[str, str]:
    return {title: talk.state.value for title, talk in talks_by_title(app).items()}


def load_event(app: Flask, slug: str = "summit") -> Event:
    with database_of(app).read_session() as session:
        return session.scalars(select(Event).where(Event.slug == slug)).one()


def get_form_data(browser: HtmlBrowser, action: str) -> MultiDict[str, str]:
    """Return the data that the form with this action submits, including repeated field names."""
    forms = [one for one in parse_html(browser.response.text).iter("form") if one.get("action") == action]
    sent: MultiDict[str, str] = MultiDict()
    for field in forms[0].iter("input"):
        if field.get("type") != "checkbox" or "checked" in field.attrib:
            sent.add(field.get("name", ""), field.get("value", ""))
    for area in forms[0].iter("textarea"):
        sent.add(area.get("name", ""), (area.text or "").removeprefix("\n"))
    for choice in forms[0].iter("select"):
        options = list(choice.iter("option"))
        chosen = [one for one in options if "selected" in one.attrib] or options
        sent.add(choice.get("name", ""), chosen[0].get("value", ""))
    return sent


def submit_form_data(browser: HtmlBrowser, action: str, form: MultiDict[str, str], **typed: str) -> str:
    """Submit form data with some values replaced and return the main text of the next page."""
    for name, value in typed.items():
        form[name] = value
    headers = {"Accept": "text/html"}
    browser.response = browser.client.post(action, data=form, headers=headers, follow_redirects=True)
    assert html_parse_errors(browser.response.text) == []
    return browser.main_text()


def visit_confirm_page(browser: HtmlBrowser, slug: str, step: str, *, talks: Iterable[str], **more: str) -> str:
    """Open the confirmation page of a decision and return its main text."""
    wanted = "&".join([f"do={step}", *(f"talk={one}" for one in talks), *(f"{k}={v}" for k, v in more.items())])
    return browser.visit(f"/organise/{slug}/decide?{wanted}")
