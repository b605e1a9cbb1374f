"""Rendering of Markdown as safe HTML, and as plain text for calendar entries.

The dialect is CommonMark with tables and strikethrough. HTML is escaped, links are limited to http, https and mailto,
and images become links. Text with an excessive amount of markup is not parsed, because the parsing time depends on the
amount of markup. Deeply nested text is not parsed, because the parser would drop the innermost content.
"""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import count, groupby, repeat
from typing import NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from eventcal.kit.bounded_cache import bounded_cache

MAX_MARKUP_CHARACTERS = 5_000
MAX_LINES = 2_000
# Cells are counted as if all lines were rows of one table, because the parser pads short rows with empty cells.
MAX_TABLE_CELLS = 10_000

_MAX_NESTING = 16
_MARKUP_CHARACTER = re.compile(r"[!#$%&*+\-:<=>@\[\\\]^_`{|}~]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ALLOWED_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


class _SafeMarkdownIt(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - overrides a method of the library
        return _ALLOWED_LINK.match(url) is not None


_PARSER = _SafeMarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": _MAX_NESTING}).enable(
    ["table", "strikethrough"],
)

# The parser already escapes HTML. Sanitising the rendered HTML protects against errors in the parser.
_SANITIZER = nh3.Cleaner(
    tags={"p", "pre", "blockquote", "ul", "ol", "li", "hr", "h3", "h4", "h5", "h6"}
    | {"br", "strong", "em", "del", "a", "code"}
    | {"table", "thead", "tbody", "tr", "th", "td"},
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)


class _Rendered(NamedTuple):
    """A text in both of the formats into which Markdown is rendered."""

    html: str
    plain_text: str


def to_html(markdown: str) -> str:
    """Return Markdown as HTML that is safe to embed in any page, including pages of other sites.

    The HTML contains no scripts, styles, images or frames, and no class or id attributes. The highest heading level is
    h3. Links have the attribute rel="nofollow ugc noopener". `to_html` never raises an exception.
    """
    return _render(markdown).html


def to_plain_text(markdown: str) -> str:
    r"""Return Markdown as plain text for calendar apps.

    Lines are separated by \n, and the first and last lines are not empty. Links are rendered as "text (url)", or only
    as the URL if the link text is empty or equals the URL. Bullets are rendered as "- ". The lines of a paragraph are
    joined. `to_plain_text` never raises an exception.
    """
    return _render(markdown).plain_text


# The same text is often rendered repeatedly, for example whenever a room with many talks is renamed.
@bounded_cache(4_000_000)
def _render(markdown: str) -> _Rendered:
    text, tokens = _parse_tokens(markdown)
    if tokens is None:
        return _Rendered(_SANITIZER.clean("\n".join(_iter_unparsed_paragraphs(text))), text.strip("\n"))
    page = _PlainTextBuilder()
    for token in tokens:
        page.add_token(token)
    html_text = _SANITIZER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    return _Rendered(html_text, "\n".join(page.lines).strip("\n"))


def _iter_unparsed_paragraphs(text: str) -> Iterator[str]:
    for has_words, lines in groupby(text.split("\n"), key=lambda line: bool(line.strip())):
        if has_words:
            yield f"<p>{'<br>'.join(html.escape(line) for line in lines)}</p>"


def _parse_tokens(markdown: str) -> tuple[str, list[Token] | None]:
    """Return the normalised text and its Markdown tokens, which are None if the text exceeds a limit."""
    text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", markdown.replace("\r\n", "\n").replace("\r", "\n"))
    lines = text.split("\n")
    cells = len(lines) * (max(line.count("|") for line in lines) + 1)
    marks = len(_MARKUP_CHARACTER.findall(text))
    if len(lines) > MAX_LINES or cells > MAX_TABLE_CELLS or marks > MAX_MARKUP_CHARACTERS:
        return text, None
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in {"blockquote_open", "list_item_open"} and token.level >= _MAX_NESTING - 1:
            # The parser drops the content of blocks at the maximum nesting depth.
            return text, None
        if token.tag in {"h1", "h2"}:
            token.tag = "h3"
        if token.children:
            token.children = list(_replace_images(token.children))
    return text, tokens


def _replace_images(children: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with each image replaced by a link, or by its description if the image is inside a link."""
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
        words = Token("text", "", 0, content=_image_alt_text(token.children or []) or source)
        if in_link:
            yield words
        else:
            yield Token("link_open", "a", 1, attrs={"href": source})
            yield words
            yield Token("link_close", "a", -1)


def _image_alt_text(children: Sequence[Token]) -> str:
    breaks = dict.fromkeys(("softbreak", "hardbreak"), " ")
    return "".join(
        _image_alt_text(token.children) if token.children else breaks.get(token.type, token.content)
        for token in children
    ).strip()


class _PlainTextBuilder:
    def __init__(self) -> None:
        self.lines: list[str] = []
        # The line prefix of each open block. After the first line of a list item, lines are indented with spaces.
        self._margins: list[str] = []
        # For each open list, an iterator over the bullets or numbers of the next items.
        self._bullets: list[Iterator[str]] = []
        self._cells: list[str] | None = None
        self._gap = False

    def add_token(self, token: Token) -> None:
        if token.nesting == 1:
            self._open_block(token)
        elif token.nesting == -1:
            self._close_block(token)
        elif token.type != "inline":
            self._gap = True
            self._write_text("---" if token.type == "hr" else token.content.rstrip("\n"))
            self._gap = True
        elif self._cells is None:
            self._write_text(_render_inline_tokens(token.children or []))
        else:
            self._cells.append(_render_inline_tokens(token.children or []))

    def _open_block(self, token: Token) -> None:
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
                # The parser marks paragraphs in tight lists (without blank lines between items) as hidden.
                self._gap = self._gap or not token.hidden

    def _close_block(self, token: Token) -> None:
        match token.type:
            case "bullet_list_close" | "ordered_list_close":
                self._bullets.pop()
                self._gap = self._gap or not self._bullets
            case "list_item_close" | "blockquote_close":
                self._margins.pop()
            case "tr_close":
                self._write_text(" | ".join(self._cells or []))
                self._cells = None
            case "paragraph_close" | "heading_close" | "table_close":
                self._gap = self._gap or not token.hidden

    def _write_text(self, text: str) -> None:
        if self._gap and self.lines:
            self.lines.append("")
        self._gap = False
        for line in text.split("\n"):
            self.lines.append(("".join(self._margins) + line).rstrip())
            self._margins = [m if m.startswith(">") else " " * len(m) for m in self._margins]


def _render_inline_tokens(children: Sequence[Token]) -> str:
    parts: list[str] = []
    link, link_at = "", 0
    for token in children:
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "s_open" | "s_close":
                # Without "~~" markers, struck-through text would look like ordinary text.
                parts.append("~~")
            case "link_open":
                link, link_at = str(token.attrs["href"]), len(parts)
            case "link_close":
                parts[link_at:] = [_render_link("".join(parts[link_at:]), link)]
            case _:
                parts.append(token.content)
    return "".join(parts)


def _render_link(text: str, url: str) -> str:
    if _PARSER.normalizeLink(text) in {url, url.removeprefix("mailto:")}:
        return url.removeprefix("mailto:")
    return f"{text} ({url})" if text.strip() else url
