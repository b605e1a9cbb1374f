from pathlib import Path

from eventcal.lint.rules import RULES_BY_SUBJECT, Rule

PAGE = Path(__file__).parents[3] / "docs" / "lint.md"


def rules_as_markdown() -> str:
    """Return all rules as Markdown: one section per subject, with a table of its rules."""
    return "\n".join(section_as_markdown(subject, rules) for subject, rules in RULES_BY_SUBJECT.items())


def section_as_markdown(subject: str, rules: tuple[Rule, ...]) -> str:
    rows = [f"| `{rule.code}` | {rule.severity} | {rule.section} | {rule.meaning} |\n" for rule in rules]
    return f"## {subject}\n\n| code | severity | source | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def test_documentation_page_lists_every_rule_with_its_meaning() -> None:
    # If this fails, replace the end of the page with the output of catalogue().
    written = PAGE.read_text(encoding="utf-8")
    assert written[written.index("## Lines") :] == rules_as_markdown()
