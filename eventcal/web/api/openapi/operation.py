"""One operation of the document, and what follows from the mark of its view."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import Rule

from eventcal.web.identity.permissions import Access

Json = dict[str, Any]

# The marks that let only members in.
_GUARDED = frozenset({"member", "organiser", "moderator", "by_cookie"})


def path_of(rule: Rule) -> str:
    """Return a rule's path as OpenAPI writes it."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Where an operation is, the view that answers it, and what the document says of it so far."""

    path: str
    method: str
    endpoint: str
    view: Callable[..., Any]
    said: Json

    @property
    def access(self) -> Access:
        """Return the view's mark."""
        mark: Access = self.view.access  # type: ignore[attr-defined]  # every view has one, which the tests hold
        return mark

    @property
    def subject(self) -> str:
        """Return the blueprint that the view belongs to."""
        return self.endpoint.partition(".")[0]

    @property
    def guarded(self) -> bool:
        """Return whether only members are let in."""
        return self.access.name in _GUARDED

    @property
    def conditional(self) -> bool:
        """Return whether it is read with validators, and answers 304."""
        return self.method == "get" and self.subject != "health"

    @property
    def repeatable(self) -> bool:
        """Return whether it takes an Idempotency-Key."""
        return self.method == "post" and self.guarded and self.subject != "auth"

    def parameters(self, place: str) -> set[str]:
        """Return the names of its own parameters at this place: query, header."""
        return {one["name"] for one in self.said.get("parameters", []) if one.get("in") == place}
