"""Services for submitting, editing, redacting and starring talks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventcal.events.enums import ACTIVE_STATUSES, EventStatus, Programme, TalkKind
from eventcal.events.errors import EventEnded
from eventcal.events.models import Event
from eventcal.events.queries import ensure_event_loaded, is_public_and_redacted
from eventcal.events.rules import is_call_open, is_over
from eventcal.events.state_changes import REDACTED_TEXT
from eventcal.kit.database import truncate_log_after_commit
from eventcal.kit.errors import FieldError, Forbidden, Message, raise_if_invalid
from eventcal.kit.ids import new_id
from eventcal.kit.models import set_given_fields
from eventcal.members.caller import Caller
from eventcal.members.models import Member
from eventcal.members.permission_checks import check_moderator
from eventcal.members.quotas import Quota
from eventcal.members.security_log import SecurityEvent, log_security_event_on_commit
from eventcal.members.service import check_email_confirmed, delete_idempotency_records
from eventcal.outbox.service import erase_mail_about_talk
from eventcal.speakers.models import Speaker
from eventcal.speakers.service import (
    find_speaker,
    get_or_create_own_speaker,
    get_or_create_speaker,
    is_own_speaker,
)
from eventcal.talks.enums import TalkState
from eventcal.talks.errors import AlreadyDecided, TalkNotFound, TalksClosed
from eventcal.talks.fields import SpeakerOfTalk, TalkFields
from eventcal.talks.models import TEXT_COLUMNS, Star, Talk, TalkSpeaker, TalkStateChange, TalkTag
from eventcal.talks.queries import find_earlier_talk, get_talk, is_public, is_submitter_or_speaker
from eventcal.talks.rules import UNDECIDED_STATES, recompute_talk_columns, talk_kind_errors, talk_time_errors

_SIMPLE_FIELDS = ("title", "kind", "duration_minutes", *TEXT_COLUMNS)
_TIME_FIELDS = ("starts", "ends")
_ENTERED_FIELDS = ("name", "job_title", "affiliation")

UNDECIDED_TALK_QUOTA = Quota(
    20,
    lambda limit: Message(
        "You have %(limit)s talks at this event that are not decided yet. Wait for a decision, or withdraw one.",
        limit=limit,
    ),
)


def submit_talk(
    session: Session, event: Event, fields: TalkFields, *, member: Member, caller: Caller, now: datetime
) -> Talk:
    """Create a talk in the state `submitted` (or `draft` if the `draft` field is true) and flush the database session.

    If no speakers are given, the submitter is the speaker. If `reprise_of` is given, a missing title, abstract or list
    of speakers is copied from the earlier talk. Raises EmailNotConfirmed, TalksClosed, EventEnded, QuotaExceeded, or
    Invalid with all field errors.
    """
    check_email_confirmed(caller)
    check_accepts_talks(event, caller=caller, now=now)
    own = (Talk.event_id == event.id, Talk.submitter_id == member.id, Talk.state.in_(UNDECIDED_STATES))
    UNDECIDED_TALK_QUOTA.check(session, select(Talk.id).where(*own), role=caller.role)
    state = TalkState.DRAFT if fields.get("draft") else TalkState.SUBMITTED
    talk = build_talk(event, state=state, submitter_id=member.id, now=now)
    earlier_id = fields.get("reprise_of")
    earlier = find_earlier_talk(session, earlier_id, caller) if earlier_id else None
    if earlier is not None:
        speakers: list[SpeakerOfTalk] = [
            {"speaker": part.speaker, "entered": part.entered} for part in earlier.speaking
        ]
        fields = {"title": earlier.title, "abstract": earlier.abstract, "speakers": speakers, **fields}
    errors = _set_talk_fields(session, talk, fields, caller=caller, now=now)
    errors += talk_kind_errors(talk)
    if not talk.title:
        errors.append(FieldError("/title", Message("is required unless `reprise_of` is set")))
    raise_if_invalid(errors)
    if not talk.speaking:
        speaker = get_or_create_own_speaker(session, member, now=now)
        # A speaker with an unconfirmed address may be another person.
        is_linked = speaker.member_id == member.id
        set_speakers(talk, [speaker], entered={speaker.id: None if is_linked else {"name": member.name}})
    recompute_talk_columns(talk, now=now)
    session.add(talk)
    session.flush()
    record_state_change(session, talk, None, caller=caller, now=now)
    session.flush()
    return talk


def build_talk(event: Event, *, title: str = "", state: TalkState, submitter_id: str | None, now: datetime) -> Talk:
    """Return a new talk, not yet in the database session, that has no speakers, tags, track, room or times."""
    return Talk(
        id=new_id(),
        event_id=event.id,
        event=event,
        title=title,
        kind=TalkKind.TALK,
        state=state,
        submitter_id=submitter_id,
        track=None,
        room=None,
        reprise_of=None,
        speaking=[],
        tags=[],
        created_at=now,
        updated_at=now,
    )


def record_state_change(
    session: Session, talk: Talk, old: TalkState | None, *, caller: Caller, now: datetime, reason: str | None = None
) -> None:
    """Record the change of a talk from the state `old` to its current state."""
    step = TalkStateChange(
        talk_id=talk.id, from_state=old, to_state=talk.state, member_id=caller.member_id, reason=reason, created_at=now
    )
    session.add(step)


def edit_talk(session: Session, talk: Talk, fields: TalkFields, *, caller: Caller, now: datetime) -> Talk:
    """Merge the fields into a talk (RFC 7396). Raises Forbidden, AlreadyDecided, or Invalid with all field errors."""
    check_can_edit_talk(talk, caller)
    # The track, room and kind are validated against the event.
    if {"track", "room", "kind"} & fields.keys():
        ensure_event_loaded(session, talk.event)
    # A talk can keep a kind that the call for talks no longer accepts.
    is_other_kind = fields.get("kind", talk.kind) != talk.kind
    errors = _set_talk_fields(session, talk, fields, caller=caller, now=now)
    if is_other_kind:
        errors += talk_kind_errors(talk)
    raise_if_invalid(errors)
    return talk


def get_talk_to_edit(session: Session, talk_id: str, caller: Caller) -> Talk:
    """Return a talk that the caller is allowed to change. Raises TalkNotFound, Forbidden or AlreadyDecided."""
    talk = get_talk(session, talk_id, caller)
    check_can_edit_talk(talk, caller)
    return talk


def check_can_edit_talk(talk: Talk, caller: Caller) -> None:
    """Raise Forbidden or AlreadyDecided unless the caller is allowed to change this talk.

    Submitters and speakers can change a talk until a decision is made, and organisers can change a talk at any time.
    Only moderators can change a redacted talk.
    """
    is_redacted = talk.redacted_at is not None or is_public_and_redacted(talk.event)
    if caller.is_moderator or (caller.can_organise(talk.event_id) and not is_redacted):
        return
    if is_redacted:
        raise Forbidden(Message("A moderator erased this talk. Only a moderator may change it."))
    if not is_submitter_or_speaker(talk, caller):
        raise Forbidden(Message("Only the submitter or an organiser may change this talk."))
    if talk.state not in UNDECIDED_STATES:
        raise AlreadyDecided(Message("This talk is %(state)s. Ask an organiser to change it.", state=talk.state.label))


def redact_talk(session: Session, talk: Talk, *, caller: Caller, now: datetime) -> Talk:
    """Redact a talk and its history. Raises NotSignedIn or Forbidden."""
    check_moderator(caller)
    talk.title = REDACTED_TEXT
    for name in TEXT_COLUMNS:
        setattr(talk, name, None)
    talk.tags, talk.speaking = [], []
    talk.redacted_at = now
    for step in session.scalars(select(TalkStateChange).where(TalkStateChange.talk_id == talk.id)):
        step.reason = None
    delete_idempotency_records(session, talk.id)
    erase_mail_about_talk(session, talk.id)
    truncate_log_after_commit(session)
    gone = TalkState.CANCELLED if is_public(talk) else TalkState.REJECTED
    if talk.state != gone:
        from_state, talk.state = talk.state, gone
        record_state_change(session, talk, from_state, caller=caller, now=now)
    recompute_talk_columns(talk, now=now)
    session.flush()
    log_security_event_on_commit(session, SecurityEvent.REDACTED, talk=talk.id)
    return talk


def check_accepts_talks(event: Event, *, caller: Caller, now: datetime) -> None:
    """Raise EventEnded or TalksClosed unless the event accepts talks.

    Moderators can add talks to past events. A pending event accepts talks of its proposer.
    """
    over = is_over(event.last_ends_at, now=now)
    about = {"event": event.title, "status": event.status.label}
    if over and not caller.is_moderator:
        raise EventEnded(Message("“%(event)s” has ended. Only a moderator can add talks to it.", **about))
    is_own_proposal = event.status == EventStatus.PENDING and event.proposer_id == caller.member_id
    if event.status not in ACTIVE_STATUSES and not is_own_proposal:
        raise TalksClosed(Message("“%(event)s” is %(status)s and does not accept talks.", **about))
    if over or is_call_open(event, now=now):
        return
    if event.call is None:
        raise TalksClosed(Message("“%(event)s” has no call for talks.", **about))
    if event.call.opens_at is not None and now < event.call.opens_at:
        raise TalksClosed(
            Message("The call for talks of “%(event)s” is not open yet. See `call_for_talks` of the event.", **about)
        )
    raise TalksClosed(
        Message("The call for talks of “%(event)s” has closed. See `call_for_talks` of the event.", **about)
    )


def _set_talk_fields(
    session: Session, talk: Talk, fields: TalkFields, *, caller: Caller, now: datetime
) -> list[FieldError]:
    set_given_fields(talk, fields, _SIMPLE_FIELDS)
    if "tags" in fields:
        talk.tags = TalkTag.build_rows(talk.tags, fields["tags"] or [])
    errors = _set_schedule_fields(talk, fields, caller)
    if "speakers" in fields:
        errors += _set_speakers_field(session, talk, fields["speakers"] or [], caller=caller, now=now)
    if "reprise_of" in fields:
        earlier_id = fields["reprise_of"]
        earlier = find_earlier_talk(session, earlier_id, caller) if earlier_id else None
        if earlier_id and (earlier is None or earlier.id == talk.id):
            unknown = Message("refers to a talk that does not exist: “%(earlier_id)s”", earlier_id=earlier_id)
            return [*errors, FieldError("/reprise_of", unknown)]
        talk.reprise_of = earlier
    return errors


def _set_schedule_fields(talk: Talk, fields: TalkFields, caller: Caller) -> list[FieldError]:
    """Set the track, room and times of a talk. Only organisers can set rooms and, at curated events, times."""
    errors: list[FieldError] = []
    organises = caller.can_organise(talk.event_id)
    if "track" in fields:
        tracks = {track.name: track for track in talk.event.tracks}
        talk.track = tracks.get(fields["track"] or "")
        if talk.track is None and fields["track"] is not None:
            none = Message("is not a track of this event, which has no tracks")
            known = Message("is not a track of this event; its tracks are: %(known)s", known=", ".join(tracks))
            errors.append(FieldError("/track", known if tracks else none))
    if "room" in fields and fields["room"] != (talk.room.name if talk.room else None):
        rooms = {room.name: room for room in talk.event.rooms}
        talk.room = rooms.get(fields["room"] or "")
        if not organises:
            errors.append(FieldError("/room", Message("is set by the organisers; omit it")))
        elif talk.room is None and fields["room"] is not None:
            none = Message("is not a room of this event, which has no rooms")
            known = Message("is not a room of this event; its rooms are: %(known)s", known=", ".join(rooms))
            errors.append(FieldError("/room", known if rooms else none))
    before = {name: getattr(talk, name) for name in _TIME_FIELDS}
    set_given_fields(talk, fields, _TIME_FIELDS)
    if not organises and talk.event.programme == Programme.CURATED:
        detail = Message("is set by the organisers of a curated event; omit it")
        errors += (FieldError(f"/{name}", detail) for name in _TIME_FIELDS if getattr(talk, name) != before[name])
    return errors + talk_time_errors(talk) if set(_TIME_FIELDS) & fields.keys() else errors


def _set_speakers_field(
    session: Session, talk: Talk, wanted: Sequence[SpeakerOfTalk], *, caller: Caller, now: datetime
) -> list[FieldError]:
    # The current speakers of a talk can be kept even if the speakers are not public.
    here = {part.shown.slug: part.speaker for part in talk.speaking if part.shown.slug is not None}
    speakers: list[Speaker] = []
    entered = {part.speaker_id: part.entered for part in talk.speaking}
    errors: list[FieldError] = []
    for i, one in enumerate(wanted):
        speaker: Speaker | None = one.get("speaker")
        if speaker is None and "slug" in one:
            speaker = here.get(one["slug"]) or find_speaker(session, one["slug"], caller)
        elif speaker is None:
            speaker = get_or_create_speaker(session, one, now=now)
        if speaker is None:
            unknown = Message("refers to a speaker that does not exist: “%(slug)s”", slug=one["slug"])
            errors.append(FieldError(f"/speakers/{i}/slug", unknown))
        elif speaker in speakers:
            errors.append(FieldError(f"/speakers/{i}", Message("is a duplicate; remove it")))
        else:
            speakers.append(speaker)
            if "entered" in one:
                entered[speaker.id] = one["entered"]
            elif one.get("email") and not is_own_speaker(speaker, caller):
                entered[speaker.id] = {name: one.get(name) for name in _ENTERED_FIELDS}
    set_speakers(talk, speakers, entered=entered)
    return errors


def set_speakers(talk: Talk, speakers: Sequence[Speaker], *, entered: Mapping[str, dict[str, Any] | None]) -> None:
    """Set the speakers of a talk in the given order, reusing existing rows. The given speakers must be distinct.

    `entered` contains what the submitter entered for speakers who were named by email, by speaker ID.
    """
    wanted = [(speaker.id, entered.get(speaker.id)) for speaker in speakers]
    if [(part.speaker_id, part.entered) for part in talk.speaking] == wanted:
        return
    here = {part.speaker_id: part for part in talk.speaking}
    talk.speaking = [here.get(s.id) or TalkSpeaker(speaker_id=s.id, speaker=s) for s in speakers]
    for position, part in enumerate(talk.speaking):
        part.position = position
        part.entered = entered.get(part.speaker_id)


def add_star(session: Session, talk: Talk, *, caller: Caller, now: datetime) -> None:
    """Add a public talk to the caller's agenda. Idempotent. Raises TalkNotFound."""
    if not is_public(talk):
        raise TalkNotFound(talk.id)
    if session.get(Star, (caller.member_id, talk.id)) is None:
        session.add(Star(member_id=caller.member_id, talk_id=talk.id, starred_at=now))
        session.flush()


def remove_star(session: Session, talk_id: str, *, caller: Caller) -> None:
    star = session.get(Star, (caller.member_id, talk_id))
    if star is not None:
        session.delete(star)
        session.flush()
