"""One operation of the document, and what its view's mark says of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import Rule

from eventcal.kit.refusals import Refusal
from eventcal.web.identity.permissions import Access

Json = dict[str, Any]

# The marks that let only members in.
_GUARDED = frozenset({"member", "organiser", "moderator", "by_cookie"})
_WHO: Mapping[str, str] = {
    "feed": "anyone",
    "public": "anyone",
    "member": "member",
    "organiser": "organiser",
    "moderator": "moderator",
    "by_cookie": "member, signed in by password",
}


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
    def name(self) -> str:
        """Return what generated clients call it, by its method and its path: "post_event_talks"."""
        words: list[str] = []
        for part in self.path.removeprefix("/api/v1").replace(".", "/").strip("/").split("/"):
            if not part.startswith("{"):
                words.append(part)
            elif words and words[-1].endswith("s"):
                words[-1] = words[-1][:-1]
            else:
                words.append(part.strip("{}").removesuffix("_id"))
        return "_".join([self.method, *words])

    @property
    def access(self) -> Access:
        """Return the view's mark."""
        mark: Access = self.view.access  # type: ignore[attr-defined]  # every view has one, which the tests hold
        return mark

    @property
    def who(self) -> str:
        """Return who may call, in a word or two."""
        return _WHO[self.access.name]

    @property
    def refuses(self) -> tuple[type[Refusal], ...]:
        """Return the refusals that the view names itself."""
        return getattr(self.view, "refuses", ())

    @property
    def subject(self) -> str:
        """Return the blueprint that the view belongs to."""
        return self.endpoint.partition(".")[0]

    @property
    def guarded(self) -> bool:
        """Say whether only members are let in."""
        return self.access.name in _GUARDED

    @property
    def reads(self) -> bool:
        """Say whether it is a GET."""
        return self.method == "get"

    @property
    def conditional(self) -> bool:
        """Say whether it is read with validators, and answers 304."""
        return self.reads and self.subject != "health"

    @property
    def repeatable(self) -> bool:
        """Say whether it takes an Idempotency-Key."""
        return self.method == "post" and self.guarded and self.subject != "auth"

    def parameters(self, place: str) -> set[str]:
        """Return the names of its own parameters at this place: query, header."""
        return {one["name"] for one in self.said.get("parameters", []) if one.get("in") == place}
