"""Members' Markdown: as HTML that runs and loads nothing, and as plain text for a calendar entry.

CommonMark with tables and strikethrough. HTML in it is text; links lead to http, https and mailto only;
an image becomes a link to it. Both forms come from one token stream. The parser's cost grows with
the markup and not with the prose, so that a text with more markup than anybody writes, or nested deeper
than the parser goes (it would drop the rest), is given as its author typed it.
"""

import html
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, groupby, repeat

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MOST_MARKS = 5_000
"""The most characters with a meaning in Markdown that a text may have and still be read as Markdown."""

MOST_LINES = 2_000
"""The most lines that a text may have and still be read as Markdown."""

MOST_CELLS = 10_000
"""The most cells that a table over all lines of a text may have: the parser fills up short rows."""

_DEPTH = 16
_MARKS = re.compile(r"[!#$%&*+\-:<=>@\[\\\]^_`{|}~]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return _LINK.match(url) is not None


_PARSER = _Markdown("commonmark", {"html": False, "linkify": False, "maxNesting": _DEPTH}).enable(
    ["table", "strikethrough"],
)

# The parser writes no HTML of a member's; this holds even where it would err.
_CLEANER = nh3.Cleaner(
    tags={"p", "pre", "blockquote", "ul", "ol", "li", "hr", "h3", "h4", "h5", "h6"}
    | {"br", "strong", "em", "del", "a", "code"}
    | {"table", "thead", "tbody", "tr", "th", "td"},
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)

# One change shows a text in several places; and a room renamed shows those of all its talks once more.
_REMEMBERED = 256


@lru_cache(_REMEMBERED)
def to_html(markdown: str) -> str:
    """Return the text as HTML that can stand in any page of ours or of somebody else's.

    No scripts, styles, classes, ids, images or frames; headings begin at h3; links carry
    rel="nofollow ugc noopener". Never raises.
    """
    text = _readable(markdown)
    tokens = _parse(text)
    if tokens is None:
        return _CLEANER.clean("\n".join(_paragraphs_as_typed(text)))
    return _CLEANER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}))


@lru_cache(_REMEMBERED)
def to_plain(markdown: str) -> str:
    r"""Return the text as lines to read in a calendar, joined by \n, with none at either end.

    Links are "text (url)", or the URL alone where the text says no more; bullets "- "; the lines of a
    paragraph are joined. Never raises.
    """
    text = _readable(markdown)
    tokens = _parse(text)
    if tokens is None:
        return text.strip("\n")
    page = _Page()
    for token in tokens:
        page.take(token)
    return "\n".join(page.lines).strip("\n")


def _readable(markdown: str) -> str:
    r"""Return the text with \n for each line break, and with U+FFFD for what neither form can carry."""
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", lines)


def _paragraphs_as_typed(text: str) -> Iterator[str]:
    for has_words, lines in groupby(text.split("\n"), key=lambda line: bool(line.strip())):
        if has_words:
            yield f"<p>{'<br>'.join(html.escape(line) for line in lines)}</p>"


# HTML and plain text are asked for one after the other.
@lru_cache(4)
def _parse(text: str) -> list[Token] | None:
    """Return the tokens of the text, as both forms want them, or None where it is to stay as typed."""
    if not _is_within_bounds(text):
        return None
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in {"blockquote_open", "list_item_open"} and token.level >= _DEPTH - 1:
            # It lies so deep that the parser left its contents out.
            return None
        if token.tag in {"h1", "h2"}:
            token.tag = "h3"
        if token.children:
            token.children = list(_without_images(token.children))
    return tokens


def _is_within_bounds(text: str) -> bool:
    lines = text.split("\n")
    columns = max(line.count("|") for line in lines) + 1
    marks = len(_MARKS.findall(text))
    return len(lines) <= MOST_LINES and len(lines) * columns <= MOST_CELLS and marks <= MOST_MARKS


def _without_images(children: Sequence[Token]) -> Iterator[Token]:
    """Give the tokens of a line with each image as a link to it, or within a link as its description."""
    in_link = False
    for token in children:
        if token.type in {"link_open", "link_close"}:
            in_link = token.type == "link_open"
        if token.type in {"s_open", "s_close"}:
            token.tag = "del"
        if token.type != "image":
            yield token
            continue
        source = str(token.attrs["src"])
        words = Token("text", "", 0, content=_description(token.children or []) or source)
        if in_link:
            yield words
        else:
            yield Token("link_open", "a", 1, attrs={"href": source})
            yield words
            yield Token("link_close", "a", -1)


def _description(children: Sequence[Token]) -> str:
    return "".join(
        _description(token.children)
        if token.children
        else " "
        if token.type in {"softbreak", "hardbreak"}
        else token.content
        for token in children
    ).strip()


class _Page:
    """Plain lines, written from a token stream from its beginning to its end."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        # What stands before each line of the containers that are open: a bullet once, then its width.
        self._margins: list[str] = []
        # For each list that is open, what its next items begin with.
        self._bullets: list[Iterator[str]] = []
        self._cells: list[str] | None = None
        self._gap = False

    def take(self, token: Token) -> None:
        """Write one token of the stream."""
        if token.nesting == 1:
            self._open(token)
        elif token.nesting == -1:
            self._close(token)
        elif token.type != "inline":
            self._gap = True
            self._write("---" if token.type == "hr" else token.content.rstrip("\n"))
            self._gap = True
        elif self._cells is None:
            self._write(_inline(token.children or []))
        else:
            self._cells.append(_inline(token.children or []))

    def _open(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._gap = self._gap or not self._bullets
                numbers = count(int(token.attrs.get("start", 1)))
                is_bulleted = token.type == "bullet_list_open"
                self._bullets.append(repeat("- ") if is_bulleted else (f"{number}. " for number in numbers))
            case "list_item_open":
                self._margins.append(next(self._bullets[-1]))
            case "blockquote_open":
                self._gap = True
                self._margins.append("> ")
            case "tr_open":
                self._cells = []
            case "paragraph_open" | "heading_open" | "table_open":
                # A paragraph is hidden in a list without blank lines between its items.
                self._gap = self._gap or not token.hidden

    def _close(self, token: Token) -> None:
        match token.type:
            case "bullet_list_close" | "ordered_list_close":
                self._bullets.pop()
                self._gap = self._gap or not self._bullets
            case "list_item_close" | "blockquote_close":
                self._margins.pop()
            case "tr_close":
                self._write(" | ".join(self._cells or []))
                self._cells = None
            case "paragraph_close" | "heading_close" | "table_close":
                self._gap = self._gap or not token.hidden

    def _write(self, text: str) -> None:
        if self._gap and self.lines:
            self.lines.append("")
        self._gap = False
        for line in text.split("\n"):
            self.lines.append(("".join(self._margins) + line).rstrip())
            self._margins = [m if m.startswith(">") else " " * len(m) for m in self._margins]


def _inline(children: Sequence[Token]) -> str:
    parts: list[str] = []
    link = ""
    link_at = 0
    for token in children:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "s_open" | "s_close":
                # Without its strokes, what is struck out would be said.
                parts.append("~~")
            case "link_open":
                link, link_at = str(token.attrs["href"]), len(parts)
            case "link_close":
                parts[link_at:] = [_reference("".join(parts[link_at:]), link)]
            case _:
                parts.append(token.content)
    return "".join(parts)


def _reference(text: str, url: str) -> str:
    if _PARSER.normalizeLink(text) in {url, url.removeprefix("mailto:")}:
        return url.removeprefix("mailto:")
    return f"{text} ({url})" if text.strip() else url
