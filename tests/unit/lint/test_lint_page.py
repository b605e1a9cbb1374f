from pathlib import Path

from eventcal.lint.rules import SUBJECTS, Rule

PAGE = Path(__file__).parents[3] / "docs" / "lint.md"


def catalogue() -> str:
    """Return every rule as Markdown: a section for each subject with a table of its rules."""
    return "\n".join(section(subject, rules) for subject, rules in SUBJECTS.items())


def section(subject: str, rules: tuple[Rule, ...]) -> str:
    rows = [f"| `{rule.code}` | {rule.severity} | {rule.section} | {rule.meaning} |\n" for rule in rules]
    return f"## {subject}\n\n| code | severity | source | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def test_the_page_has_every_code_with_what_it_means() -> None:
    # Where they differ: what catalogue() gives belongs at the page's end.
    written = PAGE.read_text(encoding="utf-8")
    assert written[written.index("## Lines") :] == catalogue()
