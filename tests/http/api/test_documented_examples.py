"""The examples in docs/api.md match the responses of the API."""

from tests.api_examples import DOCUMENT, refresh_document


def test_documented_responses_match_the_application() -> None:
    document = DOCUMENT.read_text()
    assert refresh_document(document) == document, "run `make examples`"
