"""URL encoding, and absolute URLs built from the configured base URL instead of the Host header."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query string in which colons are not percent-encoded."""
    return urlencode(list(pairs), quote_via=quote, safe=":")


def with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def quote_path(path: str) -> str:
    """Percent-encode the characters that RFC 3986, section 3.3, does not allow in a path."""
    return quote(path, safe="/:@!$&'()*+,;=~", errors="replace")


@dataclass(frozen=True)
class UrlBuilder:
    """Builder for the absolute URLs of a site, whose base URL has no trailing slash."""

    base: str

    def home(self) -> str:
        return f"{self.base}/"

    def event_page(self, slug: str) -> str:
        return f"{self.base}/events/{slug}"

    def talk_page(self, talk_id: str) -> str:
        return f"{self.base}/talks/{talk_id}"

    def speaker_page(self, slug: str) -> str:
        return f"{self.base}/speakers/{slug}"

    def event_feed(self, slug: str) -> str:
        return f"{self.event_page(slug)}.ics"

    def talk_feed(self, talk_id: str) -> str:
        return f"{self.talk_page(talk_id)}.ics"

    def speaker_feed(self, slug: str) -> str:
        return f"{self.speaker_page(slug)}.ics"

    def calendar_feed(self, suffix: str = ".ics") -> str:
        return f"{self.base}/calendar{suffix}"

    def personal_feed(self, secret: str) -> str:
        return f"{self.base}/feeds/{quote(secret, safe='')}.ics"

    def image(self, stored_url: str | None) -> str | None:
        """Return the absolute URL of an image. The stored URL of an uploaded image is a path."""
        return f"{self.base}{stored_url}" if stored_url is not None and stored_url.startswith("/") else stored_url

    def oembed(self, page_url: str) -> str:
        return f"{self.base}/oembed?{urlencode({'url': page_url})}"

    def api(self, path: str, **query: str) -> str:
        """Return the URL of an API resource. `path` begins with a slash."""
        return with_query(f"{self.base}/api/v1{path}", urlencode(query))

    def api_event(self, slug: str) -> str:
        return self.api(f"/events/{slug}")

    def api_talk(self, talk_id: str) -> str:
        return self.api(f"/talks/{talk_id}")
