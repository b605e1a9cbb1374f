"""Editing and redacting talks: permissions, fields and times."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import TalkKind
from eventcal.events.state_changes import REDACTED_TEXT
from eventcal.kit.errors import FieldError, Forbidden, Invalid
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import AlreadyDecided
from eventcal.talks.fields import SpeakerOfTalk, TalkFields
from eventcal.talks.models import Talk, TalkStateChange
from eventcal.talks.queries import get_talk
from eventcal.talks.rules import UNDECIDED_STATES, recompute_talk_columns
from eventcal.talks.service import edit_talk, redact_talk
from tests.clocks import NOON
from tests.factories import (
    MODERATOR_CALLER,
    flush_and_expunge,
    make_caller,
    make_event,
    make_member,
    make_organiser,
    make_speaker,
    make_talk,
)


def reload_talk(session: Session, talk: Talk) -> Talk:
    """Return the talk as the next request loads it."""
    flush_and_expunge(session)
    return get_talk(session, talk.id, MODERATOR_CALLER)


def tags_of(talk: Talk) -> list[str]:
    return [tag.tag for tag in talk.tags]


def speaker_names(talk: Talk) -> list[str]:
    return [speaker.name for speaker in talk.speakers]


def test_edit_changes_only_the_given_fields_and_null_clears(session: Session) -> None:
    event = make_event(session, tracks=["Main"], rooms=["Hall"])
    talk = make_talk(
        session, event, abstract="Ports", language="de", tags=["a", "b"], track="Main", speakers=[make_speaker(session)]
    )
    organiser = make_organiser(session, event)
    fields: TalkFields = {"title": "New", "abstract": None, "tags": ["b"], "track": None, "room": "Hall"}
    fields["kind"] = TalkKind.KEYNOTE
    edit_talk(session, reload_talk(session, talk), fields, caller=organiser, now=NOON)
    talk = reload_talk(session, talk)
    assert (talk.title, talk.abstract, talk.language, tags_of(talk)) == ("New", None, "de", ["b"])
    assert talk.room is not None
    assert (talk.track, talk.room.name, talk.kind, len(talk.speakers)) == (None, "Hall", "keynote", 1)


def test_edit_can_reorder_add_and_remove_speakers(session: Session) -> None:
    event = make_event(session)
    ada, grace = make_speaker(session, slug="ada", name="Ada"), make_speaker(session, slug="grace", name="Grace")
    talk = make_talk(session, event, speakers=[ada, grace])
    caller = make_organiser(session, event)
    changes: list[tuple[list[SpeakerOfTalk], list[str]]] = [
        ([{"slug": "grace"}, {"slug": "ada"}], ["Grace", "Ada"]),
        ([{"slug": "grace"}, {"name": "Alan"}, {"slug": "ada"}], ["Grace", "Alan", "Ada"]),
        ([{"slug": "ada"}], ["Ada"]),
    ]
    for wanted, names in changes:
        edit_talk(session, reload_talk(session, talk), {"speakers": wanted}, caller=caller, now=NOON)
        assert speaker_names(reload_talk(session, talk)) == names


@pytest.mark.parametrize("state", TalkState)
def test_submitter_edits_until_the_decision_and_organiser_edits_always(session: Session, state: TalkState) -> None:
    event, member = make_event(session), make_member(session)
    talk = make_talk(session, event, state=state, submitter=member)
    organiser = make_organiser(session, event)
    flush_and_expunge(session)
    talk = get_talk(session, talk.id, MODERATOR_CALLER)
    if state in UNDECIDED_STATES:
        edit_talk(session, talk, {"title": "Mine"}, caller=make_caller(member), now=NOON)
    else:
        with pytest.raises(AlreadyDecided):
            edit_talk(session, talk, {"title": "Mine"}, caller=make_caller(member), now=NOON)
    assert edit_talk(session, talk, {"title": "Theirs"}, caller=organiser, now=NOON).title == "Theirs"


def test_speaker_may_edit_a_talk_but_reviewers_and_other_members_may_not(session: Session) -> None:
    event, member = make_event(session), make_member(session)
    talk = make_talk(session, event, speakers=[make_speaker(session, member=member)])
    edit_talk(session, talk, {"title": "Mine"}, caller=make_caller(member), now=NOON)
    for caller in (make_caller(make_member(session)), make_caller(make_member(session), reviews=[event])):
        with pytest.raises(Forbidden):
            edit_talk(session, talk, {"title": "Not mine"}, caller=caller, now=NOON)


def test_submitter_may_not_change_the_room_or_times(session: Session) -> None:
    member = make_member(session)
    event = make_event(session, rooms=["Hall", "Attic"])
    talk = make_talk(session, event, submitter=member, room="Hall", starts="2026-06-11T10:00:00")
    caller = make_caller(member)
    same: TalkFields = {"room": "Hall", "starts": "2026-06-11T10:00:00", "ends": None}
    edit_talk(session, reload_talk(session, talk), same, caller=caller, now=NOON)
    changes: list[TalkFields] = [{"room": "Attic"}, {"room": None}, {"starts": None}, {"ends": "2026-06-11T11:00:00"}]
    for fields in changes:
        with pytest.raises(Invalid) as refusal:
            edit_talk(session, reload_talk(session, talk), fields, caller=caller, now=NOON)
        assert [fault.pointer for fault in refusal.value.errors] == [f"/{name}" for name in fields]
        session.expunge_all()


def test_edit_rejects_a_kind_outside_the_call_only_if_the_kind_changes(session: Session) -> None:
    event, member = make_event(session, call={"kinds": ["talk", "panel"]}), make_member(session)
    talk = make_talk(session, event, kind="bof", submitter=member)
    caller = make_caller(member)
    changes: list[TalkFields] = [{"title": "Same kind"}, {"title": "Said again", "kind": TalkKind.BOF}]
    for same in changes:
        edit_talk(session, reload_talk(session, talk), same, caller=caller, now=NOON)
    with pytest.raises(Invalid) as refusal:
        edit_talk(session, reload_talk(session, talk), {"kind": TalkKind.POSTER}, caller=caller, now=NOON)
    assert refusal.value.errors == (
        FieldError("/kind", "is not accepted by this call for talks; it accepts: talk, panel"),
    )


def test_talk_without_end_lasts_the_default_duration_of_its_kind(session: Session) -> None:
    event = make_event(session, starts="2026-03-28", ends="2026-03-29")
    # The clocks go forward at 02:00: 45 minutes after 01:45 it is 03:30.
    talk = make_talk(session, event, starts="2026-03-29T01:45:00")
    assert (talk.ends, talk.starts_at, talk.ends_at) == (
        None,
        datetime(2026, 3, 29, 0, 45, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    )


def test_edit_sets_the_end_and_rejects_an_unknown_room(session: Session) -> None:
    event = make_event(session, rooms=["Hall"])
    organiser = make_organiser(session, event)
    talk = make_talk(session, event, kind="tutorial")
    times: TalkFields = {"starts": "2026-06-11T10:00:00", "ends": "2026-06-11T11:00:00"}
    talk = edit_talk(session, reload_talk(session, talk), times, caller=organiser, now=NOON)
    recompute_talk_columns(talk, now=NOON)
    assert talk.ends_at == datetime(2026, 6, 11, 9, tzinfo=UTC)
    with pytest.raises(Invalid) as refusal:
        edit_talk(session, talk, {"room": "Attic"}, caller=organiser, now=NOON)
    assert refusal.value.errors == (FieldError("/room", "is not a room of this event; its rooms are: Hall"),)


def test_talk_past_midnight_spans_two_days(session: Session) -> None:
    talk = make_talk(session, make_event(session), starts="2026-06-11T23:30:00")
    assert (talk.first_day, talk.last_day) == ("2026-06-11", "2026-06-12")


# Redacting


@pytest.mark.parametrize("state", TalkState)
def test_redacting_a_talk_removes_all_its_text(session: Session, state: TalkState) -> None:
    talk = make_talk(
        session,
        make_event(session),
        state=state,
        title="spam",
        abstract="spam",
        notes="spam",
        slides_url="spam",
        recording_url="spam",
        language="spam",
        tags=["spam"],
        speakers=[make_speaker(session, name="spam")],
    )
    session.add(TalkStateChange(talk_id=talk.id, from_state=None, to_state=state, reason="spam", created_at=NOON))
    published = talk.published_at
    redact_talk(session, reload_talk(session, talk), caller=MODERATOR_CALLER, now=NOON)
    talk = reload_talk(session, talk)
    written = [str(getattr(talk, column.key)) for column in talk.__table__.columns]
    reasons = session.scalars(select(TalkStateChange.reason).where(TalkStateChange.talk_id == talk.id)).all()
    assert [text for text in written if "spam" in text] == []
    assert (talk.title, tags_of(talk), talk.speakers, set(reasons)) == (REDACTED_TEXT, [], [], {None})
    assert (talk.redacted_at, talk.published_at) == (NOON, published)
    assert talk.state == (TalkState.CANCELLED if published else TalkState.REJECTED)


def test_only_moderators_may_redact_a_talk(session: Session) -> None:
    event = make_event(session)
    talk = make_talk(session, event)
    with pytest.raises(Forbidden):
        redact_talk(session, talk, caller=make_organiser(session, event), now=NOON)
