"""Rules for all personal pages: they require sign-in, are never stored, and escape user text."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from eventcal.events.enums import EventStatus, TeamRole
from eventcal.events.models import TeamMember
from eventcal.members.authentication_factors import enable_totp, register_passkey
from eventcal.members.enums import Role, Scope
from eventcal.members.models import Member, Passkey
from eventcal.members.service import create_access_token, create_personal_feed
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Star
from eventcal.web.identity.passwords_and_codes import authenticator
from tests.clocks import NOON
from tests.factories import (
    make_event,
    make_member,
    make_speaker,
    make_sponsor,
    make_sponsorship,
    make_talk,
    make_team_invitation,
    make_tier,
)
from tests.html_pages import accessibility_errors, fetched_urls, html_parse_errors, is_same_host, parse_html
from tests.http_app import SessionClient, create_signed_in_client, write_session

# Unless escaped, each part closes an element, an attribute or a script in some context.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></title></script><!-- &quot; {{ 7*7 }} </textarea>"

# An example path for the rule of every page that requires sign-in; {names} refer to the objects created below.
PRIVATE_PAGES: dict[str, str] = {
    "/me": "/me",
    "/me/account": "/me/account",
    "/me/account/delete": "/me/account/delete",
    "/me/account/email": "/me/account/email",
    "/me/feeds": "/me/feeds",
    "/me/feeds/<feed_id>": "/me/feeds/{feed}",
    "/me/security": "/me/security",
    "/me/security/again": "/me/security/again",
    "/me/security/app": "/me/security/app",
    "/me/security/passkeys/<passkey_id>": "/me/security/passkeys/{passkey}",
    "/me/speaker": "/me/speaker",
    "/me/stars": "/me/stars",
    "/me/stars/<talk_id>": "/me/stars/{public_talk}",
    "/me/talks/<talk_id>": "/me/talks/{talk}",
    "/me/talks/<talk_id>/withdraw": "/me/talks/{talk}/withdraw",
    "/me/tokens": "/me/tokens",
    "/me/tokens/<token_id>": "/me/tokens/{token}",
    "/organise": "/organise",
    "/organise/<slug>": "/organise/summit",
    "/organise/<slug>/decide": "/organise/summit/decide?do=accept&talk={talk}",
    "/organise/<slug>/event": "/organise/summit/event",
    "/organise/<slug>/parts": "/organise/summit/parts",
    "/organise/<slug>/parts/<part_id>/remove": "/organise/summit/parts/{room}/remove",
    "/organise/<slug>/publishing": "/organise/summit/publishing",
    "/organise/<slug>/publishing/<step>": "/organise/summit/publishing/cancel",
    "/organise/<slug>/schedule": "/organise/summit/schedule",
    "/organise/<slug>/sponsors": "/organise/summit/sponsors",
    "/organise/<slug>/sponsors/<sponsorship_id>/cancel": "/organise/summit/sponsors/{sponsorship}/cancel",
    "/organise/<slug>/sponsors/tiers/<tier_id>/remove": "/organise/summit/sponsors/tiers/{tier}/remove",
    "/organise/<slug>/talks/<talk_id>": "/organise/summit/talks/{talk}",
    "/organise/<slug>/talks/<talk_id>/redact": "/organise/summit/talks/{talk}/redact",
    "/organise/<slug>/team": "/organise/summit/team",
    "/organise/<slug>/team/<member_id>/remove": "/organise/summit/team/{member}/remove",
    "/propose": "/propose",
    "/speakers/<slug>/edit": "/speakers/olga/edit",
    "/sponsors/<slug>/edit": "/sponsors/{sponsor}/edit",
    "/submit": "/submit?event=summit",
}
# Pages that exist only after an authenticator app has been set up.
AUTHENTICATOR_PAGES: dict[str, str] = {
    "/me/security/app/off": "/me/security/app/off",
    "/me/security/codes": "/me/security/codes",
}
# Requires a host name instead of an IP address; tested in tests/http/identity/test_passkeys.py.
HOST_NAME_PAGES = {"/me/security/passkeys/new"}


def sign_in_with_data(app: Flask, text: str) -> tuple[SessionClient, dict[str, str]]:
    """Sign in a moderator with one object of each kind, containing this text; return the browser and the ids."""
    name = f"Olga {text}"[:200]
    browser = create_signed_in_client(app, "olga@example.org", reauthenticated=True, role=Role.MODERATOR, name=name)
    with write_session(app) as session:
        olga = session.get_one(Member, browser.member["id"])
        return browser, _add_objects(session, olga, text)


def _add_objects(session: Session, olga: Member, text: str) -> dict[str, str]:
    speaker = make_speaker(session, slug="olga", member=olga, name=f"Olga {text}", affiliation=text, bio=text)
    event = make_event(
        session,
        slug="summit",
        title=f"Summit {text}",
        summary=f"Short {text}",
        description=f"Long {text}",
        venue=f"Hall {text}",
        tags=[f"t{text}"[:50]],
        tracks=[f"Track {text}"[:80]],
        rooms=[f"Room {text}"[:80]],
        call={"note": f"Note {text}", "kinds": []},
    )
    pending = make_event(session, slug="pending", title=f"Pending {text}", status=EventStatus.PENDING)
    other = make_member(session, name=f"Mo {text}"[:200])
    session.add_all(
        [
            TeamMember(event_id=event.id, member_id=olga.id, role=TeamRole.ORGANISER),
            TeamMember(event_id=event.id, member_id=other.id, role=TeamRole.REVIEWER),
        ]
    )
    make_team_invitation(session, event, email=olga.email)
    shared: dict[str, Any] = {"submitter": olga, "speakers": [speaker], "abstract": f"Abstract {text}", "notes": text}
    talk = make_talk(session, event, title=f"Waits {text}", tags=[f"u{text}"[:50]], **shared)
    public = make_talk(session, event, title=f"Public {text}", state=TalkState.CONFIRMED, **shared)
    session.add(Star(member_id=olga.id, talk_id=public.id, starred_at=NOON))
    tier = make_tier(session, event, name=f"Gold {text}"[:100], benefits=[f"A logo {text}"])
    sponsor = make_sponsor(session, name=f"Citrix {text}", description=text)
    sponsorship = make_sponsorship(session, tier, sponsor=sponsor, enquirer=other, note=f"Please {text}")
    feed, _secret = create_personal_feed(session, olga, name=f"Phone {text}"[:100], now=NOON)
    token, _token = create_access_token(
        session, olga, name=f"Script {text}"[:100], scopes=[Scope.READ], expires_at=NOON + timedelta(days=90), now=NOON
    )
    passkey = Passkey(
        member_id=olga.id,
        user_handle=b"olga",
        credential_id=b"key",
        public_key=b"public",
        sign_count=0,
        transports=[],
        name=f"Key {text}"[:100],
        created_at=NOON,
    )
    register_passkey(session, passkey)
    return {
        "passkey": passkey.id,
        "talk": talk.id,
        "public_talk": public.id,
        "pending": pending.slug,
        "tier": tier.id,
        "sponsorship": sponsorship.id,
        "room": event.rooms[0].id,
        "member": other.id,
        "feed": feed.id,
        "token": token.id,
        "sponsor": sponsor.slug,
    }


def set_up_authenticator(app: Flask, browser: SessionClient) -> None:
    """Set up an authenticator app, so that signing in with the password requires a code."""
    with app.test_request_context():
        sealed = authenticator().new_encrypted_secret()
    with write_session(app) as session:
        enable_totp(session, session.get_one(Member, browser.member["id"]), sealed, counter=0, now=NOON)


def test_every_personal_page_is_covered_here(app: Flask) -> None:
    views: Any = app.view_functions
    rules = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.")
        and "GET" in (rule.methods or ())
        and views[rule.endpoint].access.name == "by_cookie"
    }
    assert rules == PRIVATE_PAGES.keys() | AUTHENTICATOR_PAGES.keys() | HOST_NAME_PAGES


def test_anonymous_request_is_redirected_to_sign_in_and_back(app: Flask) -> None:
    client = app.test_client()
    for path in (path.format_map(_DefaultValues()) for path in (PRIVATE_PAGES | AUTHENTICATOR_PAGES).values()):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/login?next={quote(path, safe='')}"


class _DefaultValues(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "x"


@pytest.mark.parametrize("language", ["en", "de"])
def test_personal_page_is_valid_not_stored_and_escapes_user_text(app: Flask, language: str) -> None:
    browser, names = sign_in_with_data(app, HOSTILE)
    headers = {"Accept": "text/html", "Accept-Language": language}
    answers = {rule: browser.client.get(path.format(**names), headers=headers) for rule, path in PRIVATE_PAGES.items()}
    set_up_authenticator(app, browser)
    answers |= {rule: browser.client.get(path, headers=headers) for rule, path in AUTHENTICATOR_PAGES.items()}
    assert {rule: answer.status_code for rule, answer in answers.items() if answer.status_code != 200} == {}
    found = {rule: [*header_errors(answer), *html_errors(answer.text)] for rule, answer in answers.items()}
    assert {rule: faults for rule, faults in found.items() if faults} == {}


def header_errors(answer: TestResponse) -> Iterator[str]:
    """Yield violations in the caching and security headers."""
    policy = answer.headers["Content-Security-Policy"]
    if answer.headers["Cache-Control"] != "no-store":
        yield f"kept: {answer.headers['Cache-Control']}"
    if "unsafe" in policy or not policy.startswith("default-src 'none'") or "frame-ancestors 'none'" not in policy:
        yield f"allowed: {policy}"


def html_errors(html: str) -> Iterator[str]:
    """Yield invalid HTML, external resources and unexpected scripts."""
    yield from html_parse_errors(html)
    tree = parse_html(html)
    yield from accessibility_errors(tree)
    yield from (url for url in fetched_urls(tree) if not is_same_host(url) or url == "x")
    yield from (str(one.attrib) for one in tree.iter("script") if one.attrib != {"src": "/static/site.js", "defer": ""})
    for element in tree.iter():
        yield from (f"{element.tag} {name}" for name in element.attrib if name.startswith("on"))
        if element.get("href", "").startswith("javascript"):
            yield str(element.attrib)
