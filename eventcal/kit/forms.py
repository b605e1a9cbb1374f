"""Texts with a fixed form: codes, tags, colours and sums of money, for requests and data sets alike."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources

from eventcal.kit.sentences import Sentence


@cache
def _countries() -> frozenset[str]:
    lines = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    return frozenset(line.partition("\t")[0] for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class Form:
    """One line that matches `pattern` and has at most `limit` characters; `says` is the message for any other.

    Where `known` is given, the text must be one of those that it returns as well.
    """

    pattern: str
    limit: int
    says: Sentence
    known: Callable[[], Collection[str]] | None = None

    def fault(self, text: str) -> Sentence | None:
        """Return why the text does not have this form, or None. The length is not checked."""
        matches = re.fullmatch(self.pattern, text, re.ASCII) is not None
        return None if matches and (self.known is None or text in self.known()) else self.says


COUNTRY = Form(
    "[A-Z]{2}", 2, Sentence("must be an ISO 3166-1 code of two capital letters, such as DE"), known=_countries
)
# BCP 47, by its form alone.
LANGUAGE = Form("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", 35, Sentence("must be a language tag such as en or pt-BR"))
COLOUR = Form("#[0-9A-Fa-f]{6}", 7, Sentence("must be a colour such as #2a7f62"))
CURRENCY = Form("[A-Z]{3}", 3, Sentence("must be an ISO 4217 code such as EUR"))
# Whether there is such a zone is checked by the rules of events.
TIMEZONE = Form("[A-Za-z0-9_+/-]{1,64}", 64, Sentence("must be an IANA time zone such as Europe/London"))

AMOUNT_PATTERN = r"[0-9]{1,10}(\.[0-9]{1,2})?"
NOT_AMOUNT = Sentence('must be a decimal string such as "12.50"')


def read_amount(value: object) -> Decimal:
    """Return the sum of money that a decimal string gives. Raises ValueError for anything else."""
    if not isinstance(value, str) or re.fullmatch(AMOUNT_PATTERN, value) is None:
        raise ValueError(NOT_AMOUNT)
    return Decimal(value)
