"""docs/api.md shows what the API answers."""

from tests.api_examples import DOCUMENT, refreshed


def test_documented_responses_are_those_of_the_application() -> None:
    document = DOCUMENT.read_text()
    assert refreshed(document) == document, "run `make examples`"
