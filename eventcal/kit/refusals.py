"""Translatable sentences, and the refusals that say them: each is a class with a code, and knows nothing of HTTP.

`web/http/errors.py` holds the one table from these families to a status.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

State = TypeVar("State")
Found = TypeVar("Found")


class Sentence(str):
    """A finished English text with its template and the values in it, so that it can be said in another language.

    The template is written out where the sentence is made, for the catalogues are filled from there, and has its
    values by name, as in gettext: `Sentence("must have at most %(limit)s characters", limit=80)`. A value may be a
    sentence, too. For programs it is text like any other.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Return the text that the template gives with these values."""
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def __str__(self) -> Self:
        """Return the sentence itself, so that `str(error)` gives what the error was raised with."""
        return self

    def format(self, *_: object, **__: object) -> Self:
        """Return the sentence itself: marshmallow fills every message in this way, and this one is full."""
        return self


_SEE = Sentence("See errors for each fault and its place.")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with what was given: where (an RFC 6901 JSON pointer), what, and a way out."""

    pointer: str
    detail: str


def pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of these steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """The base of every no: `code` is for programs, `title` for headings, the message for the person."""

    code: ClassVar[str] = "refused"
    title: ClassVar[Sentence] = Sentence("Refused")

    def __init__(self, detail: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)


class NotFound(Refusal):
    """There is no such thing, or none that the caller may know of."""

    code = "not-found"
    title = Sentence("Not found")


class Gone(Refusal):
    """It was here, and will not come back."""

    code = "gone"
    title = Sentence("Gone")


class Unauthenticated(Refusal):
    """The caller has to say who they are."""

    code = "unauthenticated"
    title = Sentence("Sign in first")


class Forbidden(Refusal):
    """The caller is known, and may not."""

    code = "forbidden"
    title = Sentence("Not allowed")


class Conflict(Refusal):
    """The thing is not in a state that allows this."""

    code = "conflict"
    title = Sentence("Not possible as things stand")


class Invalid(Refusal):
    """What was given cannot be taken; `faults` names every one."""

    code = "invalid"
    title = Sentence("Some of this cannot be taken")

    def __init__(self, detail: str = _SEE, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail, faults=faults)


class Stale(Refusal):
    """Somebody else changed the thing since the caller read it."""

    code = "stale"
    title = Sentence("Changed in the meantime")


class Busy(Refusal):
    """The database could not take the change in time; trying again helps."""

    code = "busy"
    title = Sentence("Busy")


def required(found: Found | None, refusal: Refusal) -> Found:
    """Return what was found. Raises the refusal if it is None."""
    if found is None:
        raise refusal
    return found


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Raise Invalid with every fault, if there is one."""
    if faults:
        raise Invalid(faults=faults)


class Transition(NamedTuple, Generic[State]):
    """One step in a table: from which states it may be taken, and to which it leads.

    The target is None if the step alone does not determine it.
    """

    sources: frozenset[State]
    target: State

    def check(self, state: State, refusal: Refusal) -> None:
        """Raise the refusal unless the step may be taken from this state."""
        if state not in self.sources:
            raise refusal
