"""A sentence: text for programs, and a template with values for whoever says it in another language."""

import json
from copy import copy, deepcopy

import orjson
import pytest
from flask import Flask
from marshmallow import Schema, ValidationError, fields, validate

from eventcal.kit.refusals import Sentence
from eventcal.web.i18n import in_words, start_language

SAID = Sentence("must have at most %(limit)s characters", limit=80)


def test_it_is_text_with_its_values_in_it() -> None:
    assert SAID == "must have at most 80 characters"
    assert (SAID.template, SAID.values) == ("must have at most %(limit)s characters", {"limit": 80})
    assert json.loads(orjson.dumps({"detail": SAID}))["detail"] == "must have at most 80 characters"


def test_without_values_a_percent_sign_is_one() -> None:
    assert Sentence("write it as %25") == "write it as %25"


def test_it_comes_through_an_exception_and_a_copy_whole() -> None:
    for same in (str(ValueError(SAID)), str(SAID), copy(SAID), deepcopy(SAID), SAID.format(input="{x}")):
        assert isinstance(same, Sentence)
        assert (same, same.template, same.values) == (SAID, SAID.template, SAID.values)


def test_it_comes_through_marshmallow_whole() -> None:
    class Shape(Schema):
        name = fields.String(validate=validate.Length(max=80, error=SAID), error_messages={"invalid": SAID})

    for given in ("x" * 81, 1):
        with pytest.raises(ValidationError) as refused:
            Shape().load({"name": given})
        assert refused.value.messages == {"name": [SAID]}
        assert isinstance(refused.value.messages["name"][0], Sentence)


def test_it_is_said_in_the_readers_language_with_the_sentences_in_it() -> None:
    app = Flask("any")
    start_language(app)
    inner = Sentence("A talk that is %(state)s cannot be %(done)s.", state=Sentence("draft"), done=Sentence("accepted"))
    with app.test_request_context("/?lang=de"):
        assert in_words(SAID) == "darf höchstens 80 Zeichen haben"
        assert in_words(inner) == "Ein Vortrag, der ein Entwurf ist, kann nicht angenommen werden."
        assert in_words("What somebody wrote: 100 %(s") == "What somebody wrote: 100 %(s"
    with app.test_request_context("/?lang=en"):
        assert in_words(inner) == inner == "A talk that is draft cannot be accepted."


def test_what_somebody_wrote_is_a_value_and_no_template() -> None:
    app = Flask("any")
    start_language(app)
    with app.test_request_context("/?lang=de"):
        assert "%(slug)s %d {x}" in in_words(Sentence("There is no event “%(slug)s” here.", slug="%(slug)s %d {x}"))
