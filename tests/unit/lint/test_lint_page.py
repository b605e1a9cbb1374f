from pathlib import Path

from eventcal.lint.rules import catalogue

PAGE = Path(__file__).parents[3] / "docs" / "lint.md"


def test_the_page_has_every_code_with_what_it_means() -> None:
    # Where they differ: what catalogue() gives belongs at the page's end.
    written = PAGE.read_text(encoding="utf-8")
    assert written[written.index("## Lines") :] == catalogue()
