"""Loading of the talks in a data set. Talks are loaded even if their event has no open call for talks."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from eventcal.datasets.import_session import ImportSession
from eventcal.datasets.parser import Record, record_key
from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.members.caller import OPERATOR
from eventcal.talks.enums import TalkState
from eventcal.talks.fields import TalkFields
from eventcal.talks.models import Talk
from eventcal.talks.rules import SPEAKER_ACTIONS, TALK_TRANSITIONS, TalkAction, is_public_state, recompute_talk_columns
from eventcal.talks.service import build_talk, edit_talk, record_state_change
from eventcal.talks.state_changes import apply_talk_action

# The schema validates these fields completely. Rendering an abstract takes longer than all other checks.
_FULLY_VALIDATED_FIELDS = frozenset({"abstract", "tags"})
_SEPARATE_TALK_FIELDS = frozenset({"event", "title", "kind", "state", "speakers", "reprise_of"})


def load_talk(loading: ImportSession, record: Record) -> None:
    talk = _create_or_update_talk(loading, record)
    if talk is not None:
        with loading.collect_errors(f"{record.pointer}/state"):
            _set_talk_state(loading, talk, record.fields.get("state", talk.state))


def check_talk(loading: ImportSession, record: Record) -> None:
    """Collect the errors of a talk. The session must be discarded without flushing it."""
    if record.key in loading.talks and record.fields["event"] in loading.events:
        loading.talks[record.key].event = loading.events[record.fields["event"]]
    fields = {name: value for name, value in record.fields.items() if name not in _FULLY_VALIDATED_FIELDS}
    talk = _create_or_update_talk(loading, replace(record, fields=fields))
    if talk is not None:
        with loading.collect_errors(f"{record.pointer}/state"):
            _get_steps_between(talk.state, record.fields.get("state", talk.state))


def load_reprise(loading: ImportSession, record: Record) -> None:
    """Set the talk that a reprise repeats. All talks in the data set must already be loaded."""
    talk = loading.talks.get(record.key)
    if talk is None or "reprise_of" not in record.fields:
        return
    named = record.fields["reprise_of"]
    earlier = loading.talks.get(record_key("talks", named)) if named else None
    if named and earlier in {None, talk}:
        # A missing or invalid target, or a reference from a talk to itself, has already been reported.
        return
    with loading.collect_errors(record.pointer):
        fields: TalkFields = {"reprise_of": earlier.id if earlier else None}
        edit_talk(loading.session, talk, fields, caller=OPERATOR, now=loading.now)


def flush_talks(loading: ImportSession) -> None:
    """Flush all talks, and record the initial states of the new talks, which refer to the rows of the talks."""
    loading.session.flush()
    for talk in loading.new_talks:
        record_state_change(loading.session, talk, None, caller=OPERATOR, now=loading.now)


def _create_or_update_talk(loading: ImportSession, record: Record) -> Talk | None:
    event = loading.events.get(record.fields["event"])
    if event is None:
        return None
    add, edit = partial(_create_talk, loading, event), partial(_update_talk, loading)
    return loading.upsert(loading.talks, record, add=add, edit=edit)


def _create_talk(loading: ImportSession, event: Event, fields: Mapping[str, Any]) -> Talk:
    state = fields.get("state", TalkState.SUBMITTED)
    talk = build_talk(event, title=fields["title"], state=state, submitter_id=None, now=loading.now)
    _update_talk(loading, talk, fields)
    loading.session.add(talk)
    loading.new_talks.append(talk)
    return talk


def _update_talk(loading: ImportSession, talk: Talk, fields: Mapping[str, Any]) -> None:
    talk.kind = fields.get("kind", talk.kind)
    own = cast("TalkFields", {name: fields[name] for name in fields if name not in _SEPARATE_TALK_FIELDS})
    if "speakers" in fields:
        known = (loading.speakers.get(slug) for slug in fields["speakers"])
        own["speakers"] = [{"speaker": speaker} for speaker in known if speaker is not None]
    edit_talk(loading.session, talk, own, caller=OPERATOR, now=loading.now)


def _set_talk_state(loading: ImportSession, talk: Talk, target: TalkState) -> None:
    """Change the state of a talk through a sequence of allowed transitions. Raises InvalidTransition."""
    for step in _get_steps_between(talk.state, target):
        if step in SPEAKER_ACTIONS:
            # The import of a data set can apply transitions that are otherwise reserved for speakers.
            from_state, talk.state = talk.state, TALK_TRANSITIONS[step].target
            record_state_change(loading.session, talk, from_state, caller=OPERATOR, now=loading.now)
        else:
            apply_talk_action(loading.session, talk, step, caller=OPERATOR, reason=None, now=loading.now)
    if talk.published_at is None and is_public_state(talk.event.programme, talk.state):
        talk.published_at = loading.now
    recompute_talk_columns(talk, now=loading.now)


def _get_steps_between(state: TalkState, target_state: TalkState) -> list[TalkAction]:
    """Return the shortest sequence of transitions between two states, or raise InvalidTransition if there is none."""
    ways: dict[TalkState, list[TalkAction]] = {state: []}
    reached = [state]
    for here in reached:
        for step, (sources, target) in TALK_TRANSITIONS.items():
            if here in sources and target not in ways:
                ways[target] = [*ways[here], step]
                reached.append(target)
    if target_state not in ways:
        raise InvalidTransition(f"cannot be changed from {state} to {target_state}; omit it or use {state}")
    return ways[target_state]
