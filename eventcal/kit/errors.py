"""Translatable messages and the base classes of domain errors, which are independent of HTTP.

`web/http/errors.py` maps the error classes to HTTP status codes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

State = TypeVar("State")
Found = TypeVar("Found")


class Message(str):
    """A formatted English message that keeps its template and values, so that it can be translated later.

    The template must be a string literal, because the catalogues are extracted from the code. It uses named
    placeholders: `Message("must have at most %(limit)s characters", limit=80)`. A value may be a message, too. The
    object is an ordinary `str` in all other respects.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Return the message: the template with these values inserted."""
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def __str__(self) -> Self:
        """Return the message itself, so that `str(error)` preserves the template and the values."""
        return self

    def format(self, *_: object, **__: object) -> Self:
        """Return the message itself. marshmallow calls `format` on all messages, but this one is complete."""
        return self


_INVALID_DETAIL = Message("See errors for each fault and its place.")


@dataclass(frozen=True)
class FieldError:
    """A validation error of one field: a JSON pointer (RFC 6901) to the field, and a message."""

    pointer: str
    detail: str


def json_pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class DomainError(Exception):
    """The base class of domain errors: `code` is for programs, `title` for headings, `detail` for people."""

    code: ClassVar[str] = "refused"
    title: ClassVar[Message] = Message("Refused")

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class NotFound(DomainError):
    """The object does not exist, or the caller may not see it."""

    code = "not-found"
    title = Message("Not found")


class Gone(DomainError):
    """The object has been deleted permanently."""

    code = "gone"
    title = Message("Gone")


class Unauthenticated(DomainError):
    """The request requires authentication."""

    code = "unauthenticated"
    title = Message("Sign in first")


class Forbidden(DomainError):
    """The caller is authenticated but does not have permission."""

    code = "forbidden"
    title = Message("Not allowed")


class Conflict(DomainError):
    """The current state of the object does not allow the action."""

    code = "conflict"
    title = Message("Not possible as things stand")


class Invalid(DomainError):
    """The input is invalid. `errors` holds all field errors."""

    code = "invalid"
    title = Message("Some of this cannot be taken")

    def __init__(self, detail: str = _INVALID_DETAIL, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, errors=errors)


class VersionConflict(DomainError):
    """The object was changed after the caller read it."""

    code = "stale"
    title = Message("Changed in the meantime")


class DatabaseBusy(DomainError):
    """The database was too busy to process the change in time. The caller may retry."""

    code = "busy"
    title = Message("Busy")


def require(value: Found | None, error: DomainError) -> Found:
    """Return `value`. Raises `error` if it is None."""
    if value is None:
        raise error
    return value


def raise_if_invalid(errors: Sequence[FieldError]) -> None:
    """Raise Invalid with these field errors, if there are any."""
    if errors:
        raise Invalid(errors=errors)


class Transition(NamedTuple, Generic[State]):
    """A state transition: the states that allow it, and the state that it leads to.

    `target` is None if it depends on more than the transition.
    """

    sources: frozenset[State]
    target: State

    def check(self, state: State, error: DomainError) -> None:
        """Raise `error` if this state does not allow the transition."""
        if state not in self.sources:
            raise error
