"""Titles, statuses and descriptions of calendar entries, in plain text and HTML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from eventcal.events.enums import Attendance, EventStatus
from eventcal.events.models import Event
from eventcal.feeds.entries.entry import Status
from eventcal.kit.markdown import to_html, to_plain_text

_PREFIXES = {EventStatus.CANCELLED: "CANCELLED: ", EventStatus.POSTPONED: "POSTPONED: "}
# The length of the descriptions of all changed occurrences of an event together.
_MAX_REPEATED_LENGTH = 200_000
_STATUSES = {EventStatus.CANCELLED: Status.CANCELLED, EventStatus.CONFIRMED: Status.CONFIRMED}


def prefix_title(title: str, status: EventStatus) -> str:
    """Return the title, prefixed with the event status unless the title already has the prefix."""
    prefix = _PREFIXES.get(status, "")
    return title if title.startswith(prefix) else prefix + title


def ical_status(status: EventStatus) -> Status:
    return _STATUSES.get(status, Status.TENTATIVE)


def format_plain_description(
    texts: Iterable[str | None], *, url: str, first_lines: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()
) -> str:
    parts = ["\n".join(first_lines), *texts, *("\n".join(lines) for lines in lists)]
    return "\n\n".join([part for part in parts if part] + [url])


def format_html_description(
    texts: Iterable[str | None], *, url: str, first_lines: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()
) -> str:
    """Return a description in HTML. The strings in `texts` must be HTML, and all other strings are escaped."""
    parts = [f"<p>{'<br>'.join(escape(line) for line in first_lines)}</p>"] if first_lines else []
    parts += [text for text in texts if text]
    parts += [f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" for lines in lists if lines]
    parts.append(f'<p><a href="{escape(url)}">{escape(url)}</a></p>')
    return "".join(parts)


@dataclass(frozen=True, kw_only=True)
class EventDescription:
    """The description of an event and its occurrences. `line_up` contains a line for each talk without a time.

    The entries of many occurrences omit a long description and a long line-up, so that the size of an event in a feed
    is limited. They contain the link to the page of the event, as all entries do.
    """

    event: Event
    line_up: Sequence[str]
    url: str

    def render_plain_and_html(
        self, *, summary: str | None, online_url: str | None, repetitions: int = 1
    ) -> tuple[str, str]:
        """Return the description as plain text and as HTML, which `repetitions` entries of the event contain."""
        before, facts = self._occurrence_link_lines(online_url), self._fact_lines(online_url)
        plain, html = self._rendered_description
        line_up = self.line_up
        if (
            repetitions > 1
            and repetitions * (len(plain) + len(html) + 2 * sum(map(len, line_up))) > _MAX_REPEATED_LENGTH
        ):
            plain, html, line_up = "", "", ()
        headed = ["Line-up:", *(f"- {line}" for line in line_up)] if line_up else []
        plain_texts = [to_plain_text(summary) if summary else None, plain]
        html_texts = [to_html(summary) if summary else None, html]
        return (
            format_plain_description(plain_texts, first_lines=before, lists=[facts, headed], url=self.url),
            format_html_description(html_texts, first_lines=before, lists=[facts, line_up], url=self.url),
        )

    @cached_property
    def _rendered_description(self) -> tuple[str, str]:
        text = self.event.description
        return (to_plain_text(text), to_html(text)) if text else ("", "")

    def _occurrence_link_lines(self, online_url: str | None) -> list[str]:
        added = online_url and not self.event.online_url and self.event.attendance != Attendance.IN_PERSON
        return [f"Online: {online_url}"] if added else []

    def _fact_lines(self, online_url: str | None) -> list[str]:
        event = self.event
        facts = []
        if event.attendance != Attendance.IN_PERSON and event.online_url and online_url:
            facts.append(f"Online: {online_url}")
        if event.price_amount is not None:
            price = f"{event.price_amount:.2f} {event.price_currency}" if event.price_amount else "free of charge"
            facts.append(f"Registration: {price}")
        if event.registration_url:
            facts.append(f"Register at {event.registration_url}")
        if event.url:
            facts.append(f"Website: {event.url}")
        return facts
