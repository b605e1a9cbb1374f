"""Every rule of the linter, by subject."""

from eventcal.lint import lines, properties, publishing, recurrence, serving, structure, text, times, zones
from eventcal.lint.findings import Rule

SUBJECTS: dict[str, tuple[Rule, ...]] = {
    "Lines": lines.RULES,
    "Structure": structure.RULES,
    "Times": times.RULES,
    "Recurrence": recurrence.RULES,
    "Time zones": zones.RULES,
    "Texts": text.RULES,
    "Properties": properties.RULES,
    "Publishing": publishing.RULES,
    "Serving": serving.RULES,
}


def catalogue() -> str:
    """Return every rule as Markdown: a section a subject, a table in each."""
    return "\n".join(_section(subject, rules) for subject, rules in SUBJECTS.items())


def _section(subject: str, rules: tuple[Rule, ...]) -> str:
    rows = [f"| `{rule.code}` | {rule.severity} | {rule.section} | {rule.meaning} |\n" for rule in rules]
    return f"## {subject}\n\n| code | severity | from | what it means |\n|---|---|---|---|\n{''.join(rows)}"
