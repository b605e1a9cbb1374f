"""Loading the talks of a data set. Calls for talks are not checked: a file may contain any talk."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from eventcal.datasets.loading import ImportSession
from eventcal.datasets.reading import Record, key_of
from eventcal.events.errors import InvalidTransition
from eventcal.events.models import Event
from eventcal.members.caller import OPERATOR
from eventcal.talks.models import Talk
from eventcal.talks.rules import SPEAKERS_STEPS, STEPS, Step, makes_public, recompute_talk_columns
from eventcal.talks.service import edit_talk, new_talk, note_step
from eventcal.talks.steps import take_step
from eventcal.talks.words import TalkState

# Fields that are loaded separately: the key, references, and fields that the service checks against the call.
_APART = frozenset({"event", "title", "kind", "state", "speakers", "reprise_of"})


def load_talk(loading: ImportSession, record: Record) -> None:
    """Add a talk, or update the existing one. A new talk is submitted unless its state says otherwise."""
    event = loading.events.get(record.fields["event"])
    if event is None:
        return
    add, edit = partial(_add_talk, loading, event), partial(_edit_talk, loading)
    talk = loading.upsert(loading.talks, record, add=add, edit=edit)
    if talk is not None:
        with loading.attempt(f"{record.pointer}/state"):
            _bring_to(loading, talk, record.fields.get("state", talk.state))


def load_reprise(loading: ImportSession, record: Record) -> None:
    """Set the talk that a talk repeats, after all talks of the file have been loaded."""
    talk = loading.talks.get(record.key)
    if talk is None or "reprise_of" not in record.fields:
        return
    named = record.fields["reprise_of"]
    earlier = loading.talks.get(key_of("talks", named)) if named else None
    if named and earlier in {None, talk}:
        # A missing, invalid or self-referring target has already been reported.
        return
    with loading.attempt(record.pointer):
        fields = {"reprise_of": earlier.id if earlier else None}
        edit_talk(loading.session, talk, fields, caller=OPERATOR, now=loading.now)


def _add_talk(loading: ImportSession, event: Event, fields: Mapping[str, Any]) -> Talk:
    state = fields.get("state", TalkState.SUBMITTED)
    talk = new_talk(event, title=fields["title"], state=state, submitter_id=None, now=loading.now)
    _edit_talk(loading, talk, fields)
    recompute_talk_columns(talk, now=loading.now)
    loading.session.add(talk)
    loading.session.flush()
    note_step(loading.session, talk, None, caller=OPERATOR, now=loading.now)
    return talk


def _edit_talk(loading: ImportSession, talk: Talk, fields: Mapping[str, Any]) -> None:
    talk.kind = fields.get("kind", talk.kind)
    own: dict[str, Any] = {name: value for name, value in fields.items() if name not in _APART}
    if "speakers" in fields:
        known = (loading.speakers.get(slug) for slug in fields["speakers"])
        own["speakers"] = [{"speaker": speaker} for speaker in known if speaker is not None]
    edit_talk(loading.session, talk, own, caller=OPERATOR, now=loading.now)


def _bring_to(loading: ImportSession, talk: Talk, wanted: TalkState) -> None:
    """Change the state of a talk by allowed steps. Raises InvalidTransition."""
    for step in _way(talk.state, wanted):
        if step in SPEAKERS_STEPS:
            # The file may take steps that are otherwise reserved for the speaker.
            from_state, talk.state = talk.state, STEPS[step].target
            note_step(loading.session, talk, from_state, caller=OPERATOR, now=loading.now)
        else:
            take_step(loading.session, talk, step, caller=OPERATOR, reason=None, now=loading.now)
    if talk.published_at is None and makes_public(talk.event.programme, talk.state):
        talk.published_at = loading.now
    recompute_talk_columns(talk, now=loading.now)


def _way(state: TalkState, wanted: TalkState) -> list[Step]:
    """Return the shortest sequence of steps between two states. Raises InvalidTransition if there is none."""
    ways: dict[TalkState, list[Step]] = {state: []}
    reached = [state]
    for here in reached:
        for step, (sources, target) in STEPS.items():
            if here in sources and target not in ways:
                ways[target] = [*ways[here], step]
                reached.append(target)
    if wanted not in ways:
        raise InvalidTransition(
            f"is {state} here already, and does not become {wanted}; leave state out, or say {state}"
        )
    return ways[wanted]
