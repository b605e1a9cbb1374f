"""Visibility, editing and merging of speakers."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from eventcal.kit.database import Change, Database
from eventcal.kit.errors import Forbidden
from eventcal.kit.pagination import PageRequest
from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.speakers.errors import CannotMergeWithItself, SpeakerNotFound
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import (
    find_speaker,
    find_speaker_by_email,
    find_speaker_by_member,
    get_or_create_own_speaker,
    get_or_create_speaker,
    get_speaker,
    list_public_speakers,
    update_speaker,
)
from eventcal.talks.delete_and_merge_referenced import merge_speakers
from eventcal.talks.enums import TalkState
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from tests.clocks import NOON, FixedClock
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_speaker,
    make_talk,
)


def merge_reloaded(session: Session, kept: Speaker, other: Speaker, *, caller: Caller = MODERATOR_CALLER) -> Speaker:
    """Merge freshly loaded speakers, as a request does. Return the remaining speaker, loaded again."""
    flush_and_expunge(session)
    kept, other = session.get_one(Speaker, kept.id), session.get_one(Speaker, other.id)
    merge_speakers(session, kept, other, caller=caller, now=NOON)
    flush_and_expunge(session)
    return session.get_one(Speaker, kept.id)


# Visibility


def test_speaker_is_visible_to_the_public_once_published(session: Session) -> None:
    member = make_member(session)
    speaker = make_speaker(session, member=member)
    callers = {"visitor": ANONYMOUS, "another": make_caller(make_member(session)), "own": make_caller(member)}
    callers["moderator"] = MODERATOR_CALLER
    assert {who for who, caller in callers.items() if find_speaker(session, speaker.slug, caller)} == {
        "own",
        "moderator",
    }
    speaker.published_at = NOON
    assert {who for who, caller in callers.items() if find_speaker(session, speaker.slug, caller)} == set(callers)


def test_hidden_speaker_and_missing_speaker_give_the_same_error(session: Session) -> None:
    make_speaker(session, slug="hidden")
    for slug in ("hidden", "nobody"):
        with pytest.raises(SpeakerNotFound) as refused:
            get_speaker(session, slug, ANONYMOUS)
        assert refused.value.detail == f"Speaker “{slug}” not found."


def test_speaker_list_holds_public_unmerged_speakers_by_slug(session: Session) -> None:
    speakers = {slug: make_speaker(session, slug=slug, published_at=NOON) for slug in ("c", "a", "b", "d")}
    make_speaker(session, slug="hidden")
    speakers["d"].merged_into_id = speakers["a"].id
    page = list_public_speakers(session, paging=PageRequest(limit=2))
    rest = list_public_speakers(session, paging=PageRequest(limit=2, cursor=page.next_cursor))
    assert ([s.slug for s in page.items], [s.slug for s in rest.items], rest.next_cursor) == (["a", "b"], ["c"], None)


# Editing


def test_only_the_speaker_and_moderators_may_edit_a_speaker(session: Session, clock: FixedClock) -> None:
    member = make_member(session)
    speaker = make_speaker(session, member=member)
    clock.tick()
    update_speaker(session, speaker, {"bio": "Wrote a compiler"}, caller=make_caller(member), now=clock.now())
    assert (speaker.bio, speaker.updated_at) == ("Wrote a compiler", clock.now())
    update_speaker(session, speaker, {"bio": None, "links": None}, caller=MODERATOR_CALLER, now=clock.now())
    assert (speaker.bio, speaker.links) == (None, [])
    with pytest.raises(Forbidden):
        update_speaker(session, speaker, {"bio": "x"}, caller=make_caller(make_member(session)), now=clock.now())


def test_edit_without_changes_keeps_the_modification_time(session: Session, clock: FixedClock) -> None:
    links = [{"title": "Home", "url": "https://example.org"}]
    speaker = make_speaker(session, bio="Same", links=links)
    clock.tick()
    update_speaker(session, speaker, {"bio": "Same", "links": list(links)}, caller=MODERATOR_CALLER, now=clock.now())
    assert speaker.updated_at == NOON


# Merging


def test_merge_moves_talks_to_the_remaining_speaker(session: Session) -> None:
    event = make_event(session)
    kept, other, third = (make_speaker(session, name=name) for name in ("Kept", "Other", "Third"))
    lineups = [[kept], [other], [other, kept], [kept, third, other], [third, other], [third]]
    talks = [make_talk(session, event, speakers=lineup) for lineup in lineups]
    merge_reloaded(session, kept, other)
    found = [get_talk(session, talk.id, MODERATOR_CALLER) for talk in talks]
    assert [[speaker.name for speaker in talk.speakers] for talk in found] == [
        ["Kept"],
        ["Kept"],
        ["Kept"],
        ["Kept", "Third"],
        ["Third", "Kept"],
        ["Third"],
    ]
    assert [[part.position for part in talk.speaking] for talk in found] == [[0], [0], [0], [0, 1], [0, 1], [0]]


def test_merge_updates_the_search_text_of_talks(session: Session) -> None:
    kept, other = make_speaker(session, name="Mihai Donțu"), make_speaker(session, name="M. D.")
    talk = make_talk(session, make_event(session), title="Xen", speakers=[other])
    merge_reloaded(session, kept, other)
    assert get_talk(session, talk.id, MODERATOR_CALLER).search == " dontu mihai xen"


PROFILE_FIELDS: dict[str, Any] = {
    "job_title": "Engineer",
    "affiliation": "Bitdefender",
    "bio": "Long",
    "links": [{"title": "Home", "url": "https://example.org"}],
    "photo_url": "https://example.org/photo.jpg",
    "email": "mihai@example.org",
}


def profile_of(speaker: Speaker) -> dict[str, Any]:
    return {name: getattr(speaker, name) for name in (*PROFILE_FIELDS, "member_id")}


def test_merge_fills_empty_fields_from_the_other_speaker(session: Session) -> None:
    member = make_member(session)
    kept, other = make_speaker(session, bio=""), make_speaker(session, member=member, **PROFILE_FIELDS)
    kept = merge_reloaded(session, kept, other)
    assert profile_of(kept) == {**PROFILE_FIELDS, "member_id": member.id}
    other = session.get_one(Speaker, other.id)
    assert (other.email, other.member_id) == (None, None)


def test_merge_keeps_existing_fields(session: Session) -> None:
    theirs: dict[str, Any] = {
        name: [{"title": "X", "url": "https://x.org"}] if name == "links" else "x" for name in PROFILE_FIELDS
    }
    member, another = make_member(session), make_member(session)
    kept = make_speaker(session, member=member, **PROFILE_FIELDS)
    other = make_speaker(session, member=another, **theirs)
    assert profile_of(merge_reloaded(session, kept, other)) == {**PROFILE_FIELDS, "member_id": member.id}


def test_merged_speaker_is_found_by_the_old_slug_email_and_member(session: Session) -> None:
    member = make_member(session)
    kept = make_speaker(session, slug="kept", email="kept@example.org", member=make_member(session), published_at=NOON)
    other = make_speaker(session, slug="other", email="other@example.org", member=member)
    merge_reloaded(session, kept, other)
    found = [
        find_speaker(session, "other", ANONYMOUS),
        find_speaker_by_email(session, "other@example.org"),
        find_speaker_by_member(session, member.id),
        get_or_create_speaker(session, {"name": "Whoever", "email": "other@example.org"}, now=NOON),
        get_or_create_own_speaker(session, member, now=NOON),
    ]
    assert [speaker.id if speaker else None for speaker in found] == [kept.id] * 5


def test_speaker_merged_twice_points_directly_to_the_remaining_speaker(session: Session) -> None:
    speakers = [make_speaker(session, slug=slug) for slug in ("first", "second", "third")]
    merge_reloaded(session, speakers[1], speakers[0])
    merge_reloaded(session, speakers[2], speakers[1])
    led = {slug: find_speaker(session, slug, MODERATOR_CALLER) for slug in ("first", "second", "third")}
    assert {slug: speaker.slug for slug, speaker in led.items() if speaker} == dict.fromkeys(led, "third")
    assert session.get_one(Speaker, speakers[0].id).merged_into_id == speakers[2].id


def test_merge_keeps_the_earlier_publication_time(session: Session, clock: FixedClock) -> None:
    clock.tick(60)
    later = clock.now()
    for of_kept, of_other, expected in (
        (later, NOON, NOON),
        (NOON, later, NOON),
        (None, later, later),
        (later, None, later),
        (None, None, None),
    ):
        kept, other = make_speaker(session, published_at=of_kept), make_speaker(session, published_at=of_other)
        assert merge_reloaded(session, kept, other).published_at == expected


def test_speaker_cannot_be_merged_with_itself(session: Session) -> None:
    kept, other = make_speaker(session, slug="kept"), make_speaker(session, slug="other")
    merge_reloaded(session, kept, other)
    again = [get_speaker(session, slug, MODERATOR_CALLER) for slug in ("kept", "other")]
    with pytest.raises(CannotMergeWithItself):
        merge_speakers(session, again[0], again[1], caller=MODERATOR_CALLER, now=NOON)


def test_only_moderators_may_merge_speakers(session: Session) -> None:
    member = make_member(session)
    kept, other = make_speaker(session, member=member), make_speaker(session)
    with pytest.raises(Forbidden):
        merge_reloaded(session, kept, other, caller=make_caller(member))


def test_merge_reports_every_reassigned_talk_to_the_hooks(database: Database) -> None:
    heard: list[Change] = []
    database.hooks = (lambda _session, changes, _now: heard.extend(changes),)
    with database.unit_of_work() as unit:
        event = make_event(unit.session)
        kept, other = make_speaker(unit.session), make_speaker(unit.session)
        talks = [
            make_talk(unit.session, event, speakers=lineup, state=TalkState.CONFIRMED)
            for lineup in ([other], [kept, other], [kept])
        ]
    heard.clear()
    with database.unit_of_work() as unit:
        both = [unit.session.get_one(Speaker, speaker.id) for speaker in (kept, other)]
        merge_speakers(unit.session, both[0], both[1], caller=MODERATOR_CALLER, now=NOON)
    changed = {
        change.row.id for change in heard if isinstance(change.row, Talk) and "speaking" in change.changed_fields
    }
    assert changed == {talks[0].id, talks[1].id}
