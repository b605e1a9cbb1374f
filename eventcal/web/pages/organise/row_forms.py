"""Forms that stand one below the other on a page, each for one thing: a field's name begins with whose it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eventcal.kit.refusals import Fault
from eventcal.web.rendering.forms import Form, Typed, typed_again

# Nobody means a number of so many digits.
_TOO_LONG = 20

NEW = "new"
"""What the form is known by of something that is not there yet."""


@dataclass(frozen=True)
class RowForm(Form):
    """One of the forms; its fields are asked for by their own names, as `field` has them on the page."""

    row: str = NEW

    def field(self, name: str) -> str:
        """Return the name that a field has on the page."""
        return f"{self.row}-{name}"


def row_form(row: str, values: Mapping[str, object]) -> RowForm:
    """Return the form of one thing with what it says."""
    shown = {f"{row}-{name}": "" if value is None else str(value) for name, value in values.items()}
    return RowForm(shown, {}, row)


def typed_in(row: str, typed: Typed) -> Typed:
    """Return what was typed in the form of one thing, by the fields' own names."""
    start = f"{row}-"
    return Typed({name.removeprefix(start): value for name, value in typed.items() if name.startswith(start)})


def row_again(row: str, typed: Typed, faults: Iterable[Fault]) -> RowForm:
    """Return the form of one thing with what was typed still there, and each fault beside its field."""
    again = typed_again(typed_in(row, typed), faults)
    return RowForm(
        {f"{row}-{name}": value for name, value in again.values.items()},
        {f"{row}-{name}" if name else "": found for name, found in again.faults.items()},
        row,
    )


def whole_number(said: str) -> int | str | None:
    """Return a number that was typed, None for nothing, and else what was typed, for the schema to refuse."""
    written = said.strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < _TOO_LONG else written or None
