"""What the linter says: a rule with its name and its source, and a finding where a feed does not keep it."""

from dataclasses import dataclass
from enum import StrEnum

_LONGEST_QUOTE = 40


class Severity(StrEnum):
    """How bad it is: an error breaks what a standard demands, a warning what programs are known to need."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place where a feed does not keep a rule.

    line: the first physical line that it concerns, from 1; 0 where it is about the whole answer and not a line.
    section: where the rule comes from, as "RFC 5545, 3.1".
    """

    line: int
    code: str
    severity: Severity
    message: str
    section: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a feed has to keep; `meaning` is its paragraph in the documentation."""

    code: str
    severity: Severity
    section: str
    meaning: str

    def at(self, line: int, message: str) -> Finding:
        """Return a finding of this rule."""
        return Finding(line, self.code, self.severity, message, self.section)


def error(code: str, section: str, meaning: str) -> Rule:
    """Return a rule that a standard demands."""
    return Rule(code, Severity.ERROR, section, meaning)


def warning(code: str, section: str, meaning: str) -> Rule:
    """Return a rule that a standard recommends, or that programs are known to need."""
    return Rule(code, Severity.WARNING, section, meaning)


def quoted(text: str) -> str:
    """Return a piece of a feed that is safe to print: in quotes, in ASCII, its end cut off where it is long."""
    return ascii(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")
