"""The rules of the linter (`rules.toml`), and a finding where a feed does not keep one."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

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


def _read_rules() -> dict[str, tuple[Rule, ...]]:
    subjects = tomllib.loads((files("eventcal.lint") / "rules.toml").read_text("utf-8"))
    return {
        subject: tuple(
            Rule(code, Severity(rule["severity"]), rule["section"], rule["meaning"]) for code, rule in rules.items()
        )
        for subject, rules in subjects.items()
    }


SUBJECTS: Mapping[str, tuple[Rule, ...]] = _read_rules()
_RULES = {rule.code: rule for rules in SUBJECTS.values() for rule in rules}


def finding(code: str, line: int, message: str) -> Finding:
    """Return a finding of the rule with this code."""
    rule = _RULES[code]
    return Finding(line, code, rule.severity, message, rule.section)


def quoted(text: str) -> str:
    """Return a piece of a feed that is safe to print: in quotes, in ASCII, its end cut off where it is long."""
    return ascii(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")
