"""The shape of a sum of money."""

from decimal import Decimal
from typing import Any

from marshmallow import fields

from eventcal.kit.values import AMOUNT_PATTERN, CURRENCY, NOT_AMOUNT, read_amount
from eventcal.web.schemas.fields import Form, Shape, documented, saying


class Amount(fields.String):
    """A sum of money as a decimal string with two places, Decimal to us."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - marshmallow's own settings
        told = documented(settings, pattern=f"^{AMOUNT_PATTERN}$")
        super().__init__(**saying(told, invalid=NOT_AMOUNT))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ANN401 - marshmallow's signature
        del attr, obj, kwargs
        return None if value is None else f"{Decimal(value):.2f}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - marshmallow's signature
        del attr, data, kwargs
        try:
            return read_amount(value)
        except ValueError as error:
            raise self.make_error("invalid") from error


class Money(Shape):
    """An amount in a currency (ISO 4217)."""

    amount = Amount(required=True)
    currency = Form(CURRENCY, required=True)
