"""Forms: what was typed, and what is wrong with it, beside its field; read by the same schemas as the API's bodies."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_babel import gettext as _
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict

from eventcal.kit.refusals import Fault, Invalid, Refusal, refuse_faults
from eventcal.web.http.validation_errors import faults_in
from eventcal.web.i18n.messages import in_words, refusal_in_words

Typed = MultiDict[str, str]
Check = Callable[[Mapping[str, Any]], Mapping[str, Any]]

# The length to which a stored value is shown beside its field.
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Form:
    """A form as it is shown: what stands in each field, and the faults of each; "" has those of no field."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return self.values.get(name, "")

    def faults_at(self, name: str) -> Sequence[str]:
        """Return what is wrong with a field."""
        return self.faults.get(name, ())


def typed_again(typed: Typed, faults: Iterable[Fault] = (), *, secret: Sequence[str] = ()) -> Form:
    """Return the form with what was typed still there, secrets apart, and each fault beside its field."""
    found: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        found[_field_of(fault, typed)].append(in_words(fault.detail))
    return Form({name: value for name, value in typed.items() if name not in secret}, dict(found))


def load(schema: Schema, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return what a form says as `schema` reads it, and every fault; with faults there are no fields."""
    try:
        return schema.load(given), []
    except ValidationError as error:
        return {}, faults_in(error.messages, location="form")


def validate(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that `schema` loads from a form. Raises Invalid with every fault."""
    fields, faults = load(schema, given)
    refuse_faults(faults)
    return fields


def stored_faults(stored: Mapping[str, str], typed: Typed) -> Iterator[Fault]:
    """Yield a fault with the stored value for each field in which something else was typed."""
    for name, value in stored.items():
        if name in typed and lines(typed[name]).strip() != lines(value).strip():
            shown = value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}…"
            yield Fault(f"/{name}", _("There stands now: %(value)s", value=shown) if shown else _("It is empty now."))


def lines(text: str) -> str:
    """Return what a browser sends of a text area with the line breaks that we keep (HTML: they come as CRLF)."""
    return text.replace("\r\n", "\n")


def listed(text: str) -> list[str]:
    """Return what stands between commas, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _field_of(fault: Fault, typed: Typed) -> str:
    """Return the field that a fault belongs beside: the first step of its pointer, if the form has it."""
    name = fault.pointer.removeprefix("/").partition("/")[0]
    return name if name in typed else ""


def said_after(words: Mapping[str, str]) -> str | None:
    """Return what is said of what was just done, which the query names (`done`); None where it names nothing known."""
    return words.get(request.args.get("done", ""))


def faults_of(refusal: Refusal, *, at: str = "") -> tuple[Fault, ...]:
    """Return a refusal as the faults of a form: those that it names, else itself beside the field `at`."""
    if isinstance(refusal, Invalid) and refusal.faults:
        return refusal.faults
    return (Fault(f"/{at}" if at else "", refusal_in_words(refusal)),)
