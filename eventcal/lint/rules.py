"""The rules of the linter, loaded from `rules.toml`, and the findings that report violations."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

_LONGEST_QUOTE = 40


class Severity(StrEnum):
    """The severity of a rule. Errors are violations of standards, and warnings are problems with some calendar apps."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A violation of a rule in a feed. `line` is the first affected physical line, or 0 for the HTTP response."""

    line: int
    code: str
    severity: Severity
    message: str
    section: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement for feeds. `meaning` describes the rule in the documentation."""

    code: str
    severity: Severity
    section: str
    meaning: str


RULES_BY_SUBJECT: Mapping[str, tuple[Rule, ...]] = {
    subject: tuple(
        Rule(code, Severity(rule["severity"]), rule["section"], rule["meaning"]) for code, rule in rules.items()
    )
    for subject, rules in tomllib.loads((files("eventcal.lint") / "rules.toml").read_text("utf-8")).items()
}
_RULES_BY_CODE = {rule.code: rule for rules in RULES_BY_SUBJECT.values() for rule in rules}


def finding(code: str, line: int, message: str) -> Finding:
    rule = _RULES_BY_CODE[code]
    return Finding(line, code, rule.severity, message, rule.section)


def quote_excerpt(text: str) -> str:
    """Return the text in a form that is safe to print: quoted, in ASCII, and truncated if the text is long."""
    return ascii(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")
