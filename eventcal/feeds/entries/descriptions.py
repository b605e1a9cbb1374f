"""Descriptions of entries: plain text for DESCRIPTION and HTML for X-ALT-DESC, rendered from the same values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from eventcal.events.models import Event
from eventcal.events.words import Attendance
from eventcal.kit.markdown import to_html, to_plain


def plain_description(
    texts: Iterable[str | None], *, url: str, before: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()
) -> str:
    """Return plain text: `before` and the texts first, then the lists, the link last."""
    parts = ["\n".join(before), *texts, *("\n".join(lines) for lines in lists)]
    return "\n\n".join([part for part in parts if part] + [url])


def html_description(
    texts: Iterable[str | None], *, url: str, before: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()
) -> str:
    """Return the same as HTML; the texts are HTML already."""
    parts = [f"<p>{'<br>'.join(escape(line) for line in before)}</p>"] if before else []
    parts += [text for text in texts if text]
    parts += [f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" for lines in lists if lines]
    parts.append(f'<p><a href="{escape(url)}">{escape(url)}</a></p>')
    return "".join(parts)


@dataclass(frozen=True, kw_only=True)
class EventDescription:
    """The description of an event, and of single occurrences that have another summary or join link.

    line_up: a line for each talk that has no time yet.
    """

    event: Event
    line_up: Sequence[str]
    url: str

    def plain(self, *, summary: str | None, online_url: str | None) -> str:
        """Return the plain text with this summary (Markdown) and join link."""
        headed = ["Line-up:", *(f"- {line}" for line in self.line_up)] if self.line_up else []
        return plain_description(
            [to_plain(summary) if summary else None, self._plain_body],
            before=self._added_link(online_url),
            lists=[self._facts(online_url), headed],
            url=self.url,
        )

    def html(self, *, summary: str | None, online_url: str | None) -> str:
        """Return the HTML with this summary (Markdown) and join link."""
        return html_description(
            [to_html(summary) if summary else None, self._html_body],
            before=self._added_link(online_url),
            lists=[self._facts(online_url), self.line_up],
            url=self.url,
        )

    @cached_property
    def _plain_body(self) -> str:
        return to_plain(self.event.description) if self.event.description else ""

    @cached_property
    def _html_body(self) -> str:
        return to_html(self.event.description) if self.event.description else ""

    def _added_link(self, online_url: str | None) -> list[str]:
        """Return the join link of an occurrence whose event has none; the description begins with it."""
        added = online_url and not self.event.online_url and self.event.attendance != Attendance.IN_PERSON
        return [f"Online: {online_url}"] if added else []

    def _facts(self, online_url: str | None) -> list[str]:
        """Return what visitors need to know apart from the place: how to take part, and what it costs."""
        event = self.event
        facts = []
        if event.attendance != Attendance.IN_PERSON and event.online_url and online_url:
            facts.append(f"Online: {online_url}")
        if event.price_amount is not None:
            price = f"{event.price_amount:.2f} {event.price_currency}" if event.price_amount else "free of charge"
            facts.append(f"Registration: {price}")
        if event.registration_url:
            facts.append(f"Register at {event.registration_url}")
        return facts
