"""Browsers of people with different roles at an event: organisers, a reviewer, a moderator and a member."""

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from eventcal.events.enums import TeamRole
from eventcal.members.enums import Role
from eventcal.members.models import Member
from tests.api import put_on_team
from tests.browsing import Browser
from tests.http_app import signed_in, writing
from tests.pages import tree_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202e{{ 7*7 }}"
"""A line that would do harm where it is not escaped."""


def browser_of_member(app: Flask, email: str = "ada@example.org", *, role: Role = Role.MEMBER) -> Browser:
    """Give the browser of a member, made if there is none with this address."""
    return Browser(signed_in(app, email, role=role).client, TestResponse([], "200", {}, None))  # type: ignore[arg-type]  # been nowhere


def browser_of_team(app: Flask, slug: str, email: str, *, role: TeamRole = TeamRole.ORGANISER) -> Browser:
    """Give the browser of a member on an event's team."""
    browser = browser_of_member(app, email)
    with writing(app) as session:
        put_on_team(session, session.scalars(select(Member).where(Member.email == email)).one(), slug, role=role)
    return browser


def invalid_fields(browser: Browser) -> set[str]:
    """Return the names of the fields that have faults; each is told of by what its field refers to."""
    tree = tree_of(browser.at.text)
    ids = {one.get("id") for one in tree.iter()}
    wrong = [one for one in tree.iter() if one.get("aria-invalid") == "true"]
    for field in wrong:
        assert set(field.get("aria-describedby", "").split()) <= ids
    return {one.get("name", "") for one in wrong}


def is_harmless(browser: Browser) -> bool:
    """Say whether HOSTILE stands on the page, and does nothing there."""
    tree = tree_of(browser.at.text)
    scripts = [one for one in tree.iter("script") if one.get("src") != "/static/site.js"]
    return "alert(1)" in browser.at.text and not scripts and not any("onerror" in one.attrib for one in tree.iter())
