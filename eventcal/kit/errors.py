"""Translatable messages, and the base classes of domain errors, which `web/http/errors.py` maps to HTTP statuses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

State = TypeVar("State")
Found = TypeVar("Found")


class Message(str):
    """A formatted English message that stores its template and values for later translation.

    The template must be a string literal, because translations are extracted from the source code. Placeholders are
    named, as in `Message("must have at most %(limit)s characters", limit=80)`. A placeholder value can itself be a
    translatable message.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def __str__(self) -> Self:
        """Return the message itself, so that `str(error)` preserves the template and the values."""
        return self

    def format(self, *_: object, **__: object) -> Self:
        """Return the message unchanged, because marshmallow calls `format` on every error message."""
        return self


_INVALID_DETAIL = Message("See `errors` for details.")


@dataclass(frozen=True)
class FieldError:
    """A validation error for a field: the JSON pointer (RFC 6901) of the field, and a message."""

    pointer: str
    detail: str


def json_pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) for a path of keys and indexes."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class DomainError(Exception):
    """The base class for domain errors, with a machine-readable `code`, a short `title` and an explanatory `detail`."""

    code: ClassVar[str] = "refused"
    title: ClassVar[Message] = Message("Request rejected")

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class NotFound(DomainError):
    """The object does not exist, or the caller is not allowed to see it."""

    code = "not-found"
    title = Message("Not found")


class Gone(DomainError):
    """The object has been deleted permanently."""

    code = "gone"
    title = Message("Gone")


class Unauthenticated(DomainError):
    """The request requires authentication."""

    code = "unauthenticated"
    title = Message("Authentication required")


class Forbidden(DomainError):
    """The caller is authenticated but does not have permission."""

    code = "forbidden"
    title = Message("Forbidden")


class Conflict(DomainError):
    """The action is not allowed in the current state of the object."""

    code = "conflict"
    title = Message("Conflict")


class Invalid(DomainError):
    """The input is invalid. `errors` lists all field errors."""

    code = "invalid"
    title = Message("Validation failed")

    def __init__(self, detail: str = _INVALID_DETAIL, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, errors=errors)


class VersionConflict(DomainError):
    """The object has changed since the caller read it."""

    code = "stale"
    title = Message("Version conflict")


class Unavailable(DomainError):
    """The request cannot be processed at present. The caller can retry the request after `retry_after` seconds."""

    code = "unavailable"
    title = Message("Service unavailable")
    retry_after: ClassVar[int] = 5


class DatabaseBusy(Unavailable):
    """The database is too busy to process the change."""

    code = "busy"


class ChangedTooRecently(Unavailable):
    """A public entry has already been changed in the current second."""

    code = "changed-too-recently"
    title = Message("Changed too recently")
    retry_after = 1


class Overloaded(Unavailable):
    """The server is processing too many requests of the same kind."""

    code = "overloaded"
    retry_after = 1


def require(value: Found | None, error: DomainError) -> Found:
    if value is None:
        raise error
    return value


def raise_if_invalid(errors: Sequence[FieldError]) -> None:
    """Raise Invalid with the given field errors, if there are any."""
    if errors:
        raise Invalid(errors=errors)


class Transition(NamedTuple, Generic[State]):
    """A transition from any state in `sources` to `target`, which is None if the target depends on other conditions."""

    sources: frozenset[State]
    target: State

    def check(self, state: State, error: DomainError) -> None:
        """Raise `error` unless the transition is allowed in `state`."""
        if state not in self.sources:
            raise error
