"""A sentence is formatted text that keeps its template and values for translation."""

import json
from copy import copy, deepcopy

import orjson
import pytest
from flask import Flask
from marshmallow import Schema, ValidationError, fields, validate

from eventcal.kit.errors import Message
from eventcal.web.i18n import init_translations, translate

LENGTH_MESSAGE = Message("must have at most %(limit)s characters", limit=80)


def test_sentence_is_text_with_its_values_inserted() -> None:
    assert LENGTH_MESSAGE == "must have at most 80 characters"
    assert (LENGTH_MESSAGE.template, LENGTH_MESSAGE.values) == ("must have at most %(limit)s characters", {"limit": 80})
    assert json.loads(orjson.dumps({"detail": LENGTH_MESSAGE}))["detail"] == "must have at most 80 characters"


def test_percent_sign_stays_unchanged_without_values() -> None:
    assert Message("write it as %25") == "write it as %25"


def test_sentence_keeps_its_template_in_exceptions_and_copies() -> None:
    for same in (
        str(ValueError(LENGTH_MESSAGE)),
        str(LENGTH_MESSAGE),
        copy(LENGTH_MESSAGE),
        deepcopy(LENGTH_MESSAGE),
        LENGTH_MESSAGE.format(input="{x}"),
    ):
        assert isinstance(same, Message)
        assert (same, same.template, same.values) == (LENGTH_MESSAGE, LENGTH_MESSAGE.template, LENGTH_MESSAGE.values)


def test_sentence_keeps_its_template_in_marshmallow_errors() -> None:
    class Shape(Schema):
        name = fields.String(
            validate=validate.Length(max=80, error=LENGTH_MESSAGE), error_messages={"invalid": LENGTH_MESSAGE}
        )

    for given in ("x" * 81, 1):
        with pytest.raises(ValidationError) as refused:
            Shape().load({"name": given})
        assert refused.value.messages == {"name": [LENGTH_MESSAGE]}
        assert isinstance(refused.value.messages["name"][0], Message)


def test_sentence_is_translated_together_with_nested_sentences() -> None:
    app = Flask("any")
    init_translations(app)
    inner = Message(
        "A talk with the state “%(state)s” cannot be %(done)s.", state=Message("draft"), done=Message("accepted")
    )
    with app.test_request_context("/?lang=de"):
        assert translate(LENGTH_MESSAGE) == "darf höchstens 80 Zeichen haben"
        assert translate(inner) == "Ein Vortrag, der ein Entwurf ist, kann nicht angenommen werden."
        assert translate("What somebody wrote: 100 %(s") == "What somebody wrote: 100 %(s"
    with app.test_request_context("/?lang=en"):
        assert translate(inner) == inner == "A talk with the state “draft” cannot be accepted."


def test_user_input_in_a_sentence_is_never_treated_as_a_template() -> None:
    app = Flask("any")
    init_translations(app)
    with app.test_request_context("/?lang=de"):
        assert "%(slug)s %d {x}" in translate(Message("Event “%(slug)s” not found.", slug="%(slug)s %d {x}"))
