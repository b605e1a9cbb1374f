"""Schemas of amounts of money."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields

from eventcal.kit.errors import Message
from eventcal.kit.validators import CURRENCY
from eventcal.web.schemas.fields import BaseSchema, PatternString, StrictField
from eventcal.web.schemas.response_schema import Json, ResponseSchema

_AMOUNT = r"[0-9]{1,10}(\.[0-9]{1,2})?"


class AmountField(StrictField, fields.String):
    """An amount of money, as a string with up to two decimal places. The string is loaded as a Decimal."""

    json_schema: Mapping[str, Any] = {"pattern": f"^{_AMOUNT}$"}
    default_error_messages = {"invalid": Message('must be a decimal string such as "12.50"')}

    def parse(self, value: object) -> Decimal:
        if not isinstance(value, str) or re.fullmatch(_AMOUNT, value) is None:
            raise ValueError
        return Decimal(value)


class Money(BaseSchema):
    """An amount of money and its currency (ISO 4217)."""

    amount = AmountField(required=True)
    currency = PatternString(CURRENCY, required=True)


class PriceOut(ResponseSchema):
    """A price, as returned by the API."""

    amount = fields.String(required=True, metadata={"pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["12.50"]})
    currency = fields.String(required=True, metadata={"pattern": f"^{CURRENCY.pattern}$"})


def price_json(amount: Decimal | None, currency: str | None) -> Json | None:
    return None if amount is None else {"amount": f"{amount:.2f}", "currency": currency}
