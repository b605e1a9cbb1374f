"""The fields of a talk, as given to services. A missing key leaves a field unchanged; None clears it."""

from typing import TypedDict

from eventcal.events.enums import TalkKind
from eventcal.speakers.models import Speaker
from eventcal.talks.models import TalkTexts


class SpeakerOfTalk(TypedDict, total=False):
    """A speaker of a talk: `speaker` or the `slug` of an existing one, or the other fields of a new one."""

    speaker: Speaker
    slug: str
    name: str
    email: str | None
    job_title: str | None
    affiliation: str | None


class TalkFields(TalkTexts, total=False):
    """The fields of a talk. `reprise_of` is the id of the talk that it repeats."""

    title: str
    kind: TalkKind
    track: str | None
    room: str | None
    starts: str | None
    ends: str | None
    duration_minutes: int | None
    tags: list[str] | None
    speakers: list[SpeakerOfTalk]
    reprise_of: str | None
    draft: bool
