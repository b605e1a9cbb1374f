"""Quotas: how many objects of a kind a member may have at a time. Each quota is declared beside its service.

A quota is checked in the unit of work that adds the object. Units of work are serialised, so concurrent requests cannot
exceed a quota.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from eventcal.kit.errors import Message
from eventcal.members.enums import Role
from eventcal.members.errors import QuotaExceeded


@dataclass(frozen=True)
class Quota:
    """The maximum number of objects. `explain` returns the error message, which tells how to make room."""

    limit: int
    explain: Callable[[int], Message]
    exempts_moderators: bool = True

    def check(self, session: Session, existing: Select[Any], *, role: Role | None) -> None:
        """Raise QuotaExceeded if a member with this role already has `limit` objects."""
        if self.exempts_moderators and role in {Role.MODERATOR, Role.ADMIN}:
            return
        # Rows beyond the limit are not counted.
        found = session.scalar(select(func.count()).select_from(existing.limit(self.limit).subquery()))
        if found == self.limit:
            raise QuotaExceeded(self.explain(self.limit))
