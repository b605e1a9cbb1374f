"""Browsers of the organisers, reviewers, moderators and other members of a test."""

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.events.enums import TeamRole
from eventcal.members.enums import Role
from eventcal.members.models import Member
from tests.api_client import add_team_member
from tests.html_browser import HtmlBrowser
from tests.html_pages import parse_html
from tests.http_app import create_signed_in_client, write_session

HOSTILE_TEXT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202e{{ 7*7 }}"
"""A text that runs a script on a page that does not escape the text."""


def create_member_browser(app: Flask, email: str = "ada@example.org", *, role: Role = Role.MEMBER) -> HtmlBrowser:
    """Return the browser of a signed-in member, who is created if no member has this email address."""
    return HtmlBrowser(create_signed_in_client(app, email, role=role).client, TestResponse([], "200", {}, None))  # type: ignore[arg-type]  # no response yet


def create_team_browser(app: Flask, slug: str, email: str, *, role: TeamRole = TeamRole.ORGANISER) -> HtmlBrowser:
    """Return the browser of a member of an event's team."""
    browser = create_member_browser(app, email)
    with write_session(app) as session:
        add_team_member(session, session.scalars(select(Member).where(Member.email == email)).one(), slug, role=role)
    return browser


def invalid_field_names(browser: HtmlBrowser) -> set[str]:
    """Return the names of the fields with errors, after checking that aria-describedby refers to existing elements."""
    tree = parse_html(browser.response.text)
    ids = {one.get("id") for one in tree.iter()}
    wrong = [one for one in tree.iter() if one.get("aria-invalid") == "true"]
    for field in wrong:
        assert set(field.get("aria-describedby", "").split()) <= ids
    return {one.get("name", "") for one in wrong}


def is_hostile_text_escaped(browser: HtmlBrowser) -> bool:
    """Return whether the page contains HOSTILE_TEXT in escaped form."""
    tree = parse_html(browser.response.text)
    scripts = [one for one in tree.iter("script") if one.get("src") != "/static/site.js"]
    return (
        "alert(1)" in browser.response.text and not scripts and not any("onerror" in one.attrib for one in tree.iter())
    )
