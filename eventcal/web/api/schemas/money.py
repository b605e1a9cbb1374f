"""The shape of a sum of money."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import fields

from eventcal.kit.sentences import Sentence
from eventcal.web.api.schemas.base import Form, Shape, documented, saying

_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")


class Amount(fields.String):
    """A sum of money as a decimal string with two places, Decimal to us."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - marshmallow's own settings
        told = documented(settings, pattern=f"^{_AMOUNT.pattern}$")
        super().__init__(**saying(told, invalid=Sentence('must be a decimal string such as "12.50"')))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ANN401 - marshmallow's signature
        del attr, obj, kwargs
        return None if value is None else f"{Decimal(value):.2f}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - marshmallow's signature
        text = super()._deserialize(value, attr, data, **kwargs)
        if _AMOUNT.fullmatch(text) is None:
            raise self.make_error("invalid")
        return Decimal(text)


class Money(Shape):
    """An amount in a currency (ISO 4217)."""

    amount = Amount(required=True)
    currency = Form("[A-Z]{3}", limit=3, says=Sentence("must be an ISO 4217 code such as EUR"), required=True)
