"""What other libraries' failures mean in our words: marshmallow's messages, the database's."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from eventcal.kit import values
from eventcal.kit.refusals import Fault, Sentence, pointer

# Said without a subject, so that it follows any field's name. A schema of ours has sentences of its own.
_PLAINLY = {
    "Missing data for required field.": values.REQUIRED,
    "Field may not be null.": Sentence("must not be null"),
    "Invalid input type.": values.NOT_OBJECT,
    "Not a valid string.": values.NOT_TEXT,
    "Not a valid list.": values.NOT_LIST,
    "Not a valid integer.": values.NOT_WHOLE,
}
_UNKNOWN = "Unknown field."
_NO_FIELD = Sentence("is not a field here")
_NO_PARAMETER = Sentence("is not a parameter here")
# Nobody reads more of them; a body of nothing but faults would be answered with many times its size.
_MOST_FAULTS = 100
_BODIES = frozenset({"json", "form", "files", "json_or_form"})


def faults_in(messages: Any, *, location: str) -> list[Fault]:  # noqa: ANN401 - marshmallow nests as it likes
    """Return marshmallow's messages as faults: pointers (RFC 6901) into a body, else "?" and a parameter's name."""
    leaves = islice(_leaves(messages, ()), _MOST_FAULTS)
    if location in _BODIES:
        return [Fault(pointer(path), _plainly(text, unknown=_NO_FIELD)) for path, text in leaves]
    return [Fault(f"?{path[0] if path else ''}", _plainly(text, unknown=_NO_PARAMETER)) for path, text in leaves]


def _plainly(text: str, *, unknown: Sentence) -> str:
    return unknown if text == _UNKNOWN else _PLAINLY.get(text, text)


def _leaves(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:  # noqa: ANN401 - as above
    if isinstance(messages, Mapping):
        # In one order always: marshmallow gives unknown fields in that of a set.
        for key in sorted(messages, key=_place):
            yield from _leaves(messages[key], path if key == "_schema" else (*path, key))
    elif isinstance(messages, (list, tuple)):
        for one in messages:
            yield from _leaves(one, path)
    else:
        yield path, str(messages)


def _place(key: str | int) -> tuple[bool, int, str]:
    return (False, key, "") if isinstance(key, int) else (True, 0, key)
