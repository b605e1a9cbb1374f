"""Speakers named by email: no response reveals whose address it is, until the speaker is public."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from eventcal.events.enums import Programme
from eventcal.members.models import Member
from eventcal.speakers.models import Speaker
from eventcal.talks.models import Talk
from eventcal.web.identity.accounts import confirmation_token
from tests.api_client import ApiClient, create_member_client, create_session_client, create_team_client, get_row
from tests.factories import make_event, make_member, make_speaker
from tests.http_app import write_session

TALKS_PATH = "/events/summit/talks"
ENTERED: dict[str, Any] = {"name": "Typed Name", "job_title": "Typed title", "affiliation": "Typed Ltd"}
HIDDEN_DATA = re.compile(rb"zzyzx[ -]", re.IGNORECASE)
"""The beginning of the names, profile fields and slugs of the speakers who are not public."""
# The addresses of a member with a profile, of a member without, of a speaker without an account, and of nobody.
EMAILS = ("victim@corp.example", "member@corp.example", "speaker@corp.example", "nobody@corp.example")


@pytest.fixture
def _people(app: Flask, summit: str) -> None:
    """Create the owners of the addresses, and speakers who are not public."""
    assert summit == "summit"
    with write_session(app) as session:
        victim = make_member(session, email="victim@corp.example", name="Zzyzx Victim")
        make_member(session, email="member@corp.example", name="Zzyzx Member")
        for email, member in (("victim@corp.example", victim), ("speaker@corp.example", None)):
            details: dict[str, Any] = {"job_title": "Zzyzx job", "affiliation": "Zzyzx Ltd", "bio": "Zzyzx bio"}
            make_speaker(session, member=member, email=email, slug=f"zzyzx-{email[:6]}", name="Zzyzx Name", **details)


def responses_about(app: Flask, submitter: ApiClient, organiser: ApiClient, email: str) -> Iterator[bytes]:
    """Yield every response to the submitter and the organiser of a talk that names a speaker by email."""
    submitted = submitter.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": email}]})
    yield submitted.data
    talk = submitted.json["id"]
    yield submitter.post(TALKS_PATH, {"reprise_of": talk}).data
    yield submitter.patch(f"/talks/{talk}", {"title": "Edited"}).data
    yield submitter.patch(f"/talks/{talk}", {"speakers": [{**ENTERED, "email": email}]}).data
    for path in (f"/talks/{talk}", "/me/talks"):
        yield submitter.get(path).data
    for query in ("", "&q=zzyzx", "&speaker=zzyzx-victim", "&speaker=zzyzx-speake"):
        yield organiser.get(f"{TALKS_PATH}?state=submitted{query}").data
    for client, page in (
        (submitter, f"/me/talks/{talk}"),
        (organiser, "/organise/summit"),
        (organiser, "/organise/summit?q=zzyzx"),
        (organiser, f"/organise/summit/talks/{talk}"),
        (organiser, f"/organise/summit/decide?do=accept&talk={talk}"),
        (organiser, "/organise"),
        (organiser, "/organise/summit/schedule"),
    ):
        browser = create_session_client(app, get_row(app, Member, id=client.member_id))
        yield browser.get_feed(page, Accept="text/html").data


@pytest.mark.both_databases
@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize("email", EMAILS)
def test_no_response_reveals_a_speaker_who_is_not_public(
    app: Flask, member: ApiClient, organiser: ApiClient, email: str
) -> None:
    for body in responses_about(app, member, organiser, email):
        assert HIDDEN_DATA.search(body) is None


@pytest.mark.usefixtures("_people")
def test_responses_have_the_same_speakers_for_all_addresses(member: ApiClient) -> None:
    bodies = [{"title": "A talk", "speakers": [{**ENTERED, "email": email}]} for email in EMAILS]
    answers = [member.post(TALKS_PATH, body) for body in bodies]
    assert [answer.json["speakers"] for answer in answers] == [[{"slug": None, **ENTERED}]] * len(EMAILS)


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize("query", ["q=zzyzx", "speaker=zzyzx-victim", "speaker=zzyzx-speake"])
def test_filters_do_not_find_a_talk_by_a_hidden_speaker(member: ApiClient, organiser: ApiClient, query: str) -> None:
    for email in EMAILS:
        member.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": email}]})
    assert organiser.get(f"{TALKS_PATH}?state=submitted&q=typed").item_values("title") == ["A talk"] * len(EMAILS)
    assert organiser.get(f"{TALKS_PATH}?state=submitted&{query}").json["items"] == []


@pytest.mark.usefixtures("_people")
def test_slug_of_a_hidden_speaker_cannot_be_guessed(member: ApiClient) -> None:
    talk = member.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]}).json["id"]
    assert "/speakers/0/slug" in member.patch(f"/talks/{talk}", {"speakers": [{"slug": "zzyzx-victim"}]}).errors


@pytest.mark.both_databases
@pytest.mark.usefixtures("_people")
def test_all_talks_show_the_public_name_once_the_speaker_is_public(
    member: ApiClient, organiser: ApiClient, anonymous: ApiClient
) -> None:
    first, second = (
        member.post(TALKS_PATH, {"title": title, "speakers": [{**ENTERED, "email": EMAILS[0]}]}).json["id"]
        for title in ("First", "Second")
    )
    unpublished = member.get(f"/talks/{second}")
    organiser.post(f"/talks/{first}/accept")
    member.post(f"/talks/{first}/confirm")
    public = {
        "slug": "zzyzx-victim",
        "name": "Zzyzx Name",
        "job_title": "Zzyzx job",
        "affiliation": "Zzyzx Ltd",
    }
    assert anonymous.get(f"/talks/{first}").json["speakers"] == [public]
    assert anonymous.get("/talks?q=zzyzx").item_values("id") == [first]
    assert member.get(f"/talks/{second}").json["speakers"] == [public]
    assert member.get(f"/talks/{second}").etag != unpublished.etag
    assert len(organiser.get(f"{TALKS_PATH}?state=submitted&speaker=zzyzx-victim").json["items"]) == 1


def test_merging_a_speaker_keeps_what_was_entered(app: Flask, member: ApiClient, moderator: ApiClient) -> None:
    with write_session(app) as session:
        make_event(session, slug="summit")
        make_speaker(session, slug="zzyzx-name", name="Zzyzx Name")
    talk = member.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]}).json["id"]
    typed = get_row(app, Speaker, email=EMAILS[0]).slug
    assert moderator.post("/speakers/zzyzx-name/merge", {"other": typed}).status == 200
    assert member.get(f"/talks/{talk}").json["speakers"] == [{"slug": None, **ENTERED}]


@pytest.mark.usefixtures("summit")
@pytest.mark.parametrize("step", ["registration", "link"])
def test_data_of_the_member_replaces_what_others_entered(app: Flask, member: ApiClient, step: str) -> None:
    member.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]})
    if step == "registration":
        new = {"email": EMAILS[0], "name": "Own Name", "password": "a quiet green bicycle"}
        assert ApiClient(app).post("/auth/register", new).status == 201
    else:
        own = create_member_client(app, email=EMAILS[0], name="Own Name")
        assert own.post(TALKS_PATH, {"title": "Own talk"}).json["speakers"][0]["name"] == "Own Name"
    speaker = get_row(app, Speaker, email=EMAILS[0])
    assert (speaker.name, speaker.job_title, speaker.affiliation) == ("Own Name", None, None)


@pytest.mark.both_databases
def test_confirmation_replaces_what_others_entered(mailing_app: Flask) -> None:
    with write_session(mailing_app) as session:
        make_event(session, slug="summit", programme=Programme.LISTED)
        victim = make_member(session, email=EMAILS[0], name="Own Name", confirmed_at=None)
    mallory = create_member_client(mailing_app)
    mallory.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]})
    with mailing_app.test_request_context():
        token = confirmation_token(victim)
    confirmation = {"token": token, "new_password": "a quiet green bicycle"}
    assert ApiClient(mailing_app).post("/auth/confirm", confirmation).status == 200
    speaker = get_row(mailing_app, Speaker, email=EMAILS[0])
    # Confirming the address gives the member no rights to the talk.
    assert (speaker.name, speaker.job_title, speaker.member_id) == ("Own Name", None, None)


def test_confirmation_keeps_the_reviewed_data_of_a_public_speaker(app: Flask, organiser: ApiClient) -> None:
    body = {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]}
    talk = organiser.post(TALKS_PATH, body).json["id"]
    organiser.post(f"/talks/{talk}/accept")
    organiser.post(f"/talks/{talk}/confirm")
    own = create_member_client(app, email=EMAILS[0], name="Own Name")
    own.post(TALKS_PATH, {"title": "Own talk"})
    [speaker] = ApiClient(app).get(f"/talks/{talk}").json["speakers"]
    assert (speaker["name"], speaker["job_title"]) == ("Own Name", "Typed title")


def test_redaction_erases_what_was_entered(app: Flask, member: ApiClient, moderator: ApiClient, summit: str) -> None:
    assert create_team_client(app, summit).member_id
    talk = member.post(TALKS_PATH, {"title": "A talk", "speakers": [{**ENTERED, "email": EMAILS[0]}]}).json["id"]
    moderator.post(f"/talks/{talk}/redact")
    with write_session(app) as session:
        row = session.scalars(select(Talk).where(Talk.id == talk)).one()
        assert "typed" not in row.search
    assert moderator.get(f"/talks/{talk}").json["speakers"] == []
