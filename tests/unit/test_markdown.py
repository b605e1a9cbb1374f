"""Rendering of members' Markdown as safe HTML and as plain text."""

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventcal.kit.markdown import MAX_LINES, MAX_MARKUP_CHARACTERS, to_html, to_plain_text

LINK_REL = 'rel="nofollow ugc noopener"'
SAFE_TAGS = {"br", "code", "del", "em", "hr", "strong"} | {
    *("a", "blockquote", "li", "ol", "p", "pre", "ul", "h3", "h4", "h5", "h6"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
# Syntax of Markdown and HTML, mixed with words.
SPECIAL_CHARACTERS = list("*_~`[]()<>!|-+#\\&\"':/\t\n\r\0\ud800\u2028")
MARKUP_BEGINNINGS = ["**", "~~", "```", "\n\n", "\n- ", "\n1. ", "\n> ", "\n|-|\n", "](", "[a]: ", "    ", "&#x6a;"]
HOSTILE_PIECES = ["<script>", "<img src=x onerror=alert(1)>", "</p>", "javascript:", "data:text/html,", "http://["]
LINKS = ["http://", "https://a.b/", "mailto:"]
PIECES = st.lists(
    st.one_of(st.sampled_from([*SPECIAL_CHARACTERS, *MARKUP_BEGINNINGS, *HOSTILE_PIECES, *LINKS]), st.text(max_size=5)),
    max_size=30,
).map("".join)


class _HtmlInventory(HTMLParser):
    """The tags, attributes and links that a browser would find in the HTML."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.hrefs: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.hrefs |= {value or "" for name, value in attrs if name == "href"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def test_markdown_is_rendered_as_html() -> None:
    assert to_html("Some *emph*, **strong**, ~~gone~~ and `co<de>`\nline  \nbreak\n\n***\n\n> quote") == (
        "<p>Some <em>emph</em>, <strong>strong</strong>, <del>gone</del> and <code>co&lt;de&gt;</code>\n"
        "line<br>\nbreak</p>\n<hr>\n<blockquote>\n<p>quote</p>\n</blockquote>\n"
    )


def test_lists_and_tables_are_rendered_as_html() -> None:
    assert to_html("- a\n\n3. b\n\n| c |\n|:-:|\n| d |") == (
        '<ul>\n<li>a</li>\n</ul>\n<ol start="3">\n<li>b</li>\n</ol>\n'
        "<table>\n<thead>\n<tr>\n<th>c</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>d</td>\n</tr>\n</tbody>\n</table>\n"
    )


def test_headings_start_below_those_of_the_page() -> None:
    assert to_html("# a\n## b\n### c\n#### d\n###### f\ng\n===\n") == (
        "<h3>a</h3>\n<h3>b</h3>\n<h3>c</h3>\n<h4>d</h4>\n<h6>f</h6>\n<h3>g</h3>\n"
    )


def test_html_in_markdown_is_escaped() -> None:
    assert to_html("<script>alert(1)</script>\n\n<b onclick=x>b</b> <!-- c -->") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n<p>&lt;b onclick=x&gt;b&lt;/b&gt; &lt;!-- c --&gt;</p>\n"
    )


@pytest.mark.parametrize(
    ("markdown", "anchor"),
    [
        ("[a](http://b.org 'c')", f'<a href="http://b.org" title="c" {LINK_REL}>a</a>'),
        ("[a](HTTPS://b.org)", f'<a href="HTTPS://b.org" {LINK_REL}>a</a>'),
        ("<mailto:a@b.org>", f'<a href="mailto:a@b.org" {LINK_REL}>mailto:a@b.org</a>'),
        ("[a][r]\n\n[r]: https://b.org", f'<a href="https://b.org" {LINK_REL}>a</a>'),
    ],
)
def test_links_are_marked_as_user_generated(markdown: str, anchor: str) -> None:
    assert to_html(markdown) == f"<p>{anchor}</p>\n"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.org",
        "/logout",
        "?a",
        "ftp://a.b",
        "http:",
        "java\u00adscript:x",
    ],
)
def test_links_with_other_schemes_stay_text(url: str) -> None:
    assert _HtmlInventory(to_html(f"[a]({url}) <{url}>")).hrefs == set()
    assert _HtmlInventory(to_html(f"[a]\n\n[a]: {url}")).hrefs == set()


def test_image_becomes_a_link() -> None:
    assert to_html("![*Map* of](https://a.b/m.png)") == f'<p><a href="https://a.b/m.png" {LINK_REL}>Map of</a></p>\n'
    assert to_html("![](https://a.b/m.png)") == f'<p><a href="https://a.b/m.png" {LINK_REL}>https://a.b/m.png</a></p>\n'
    assert to_html("[![logo](https://a.b/l.png)](https://a.b)") == f'<p><a href="https://a.b" {LINK_REL}>logo</a></p>\n'
    assert to_html("![a [b](https://c.d) `e`\n![f](https://g.h)](https://i.j)") == (
        f'<p><a href="https://i.j" {LINK_REL}>a b e f</a></p>\n'
    )


def test_blank_text_renders_as_empty_string() -> None:
    assert (to_html(""), to_html(" \n\n"), to_plain_text(""), to_plain_text(" \n\n")) == ("", "", "", "")


def test_surrogates_and_nul_are_replaced() -> None:
    assert to_html("a\x00\ud800") == "<p>a\ufffd\ufffd</p>\n"
    assert to_plain_text("a\x00\ud800") == "a\ufffd\ufffd"


@settings(deadline=None, max_examples=300)
@given(PIECES)
def test_rendered_html_contains_only_safe_tags_attributes_and_links(markdown: str) -> None:
    seen = _HtmlInventory(to_html(markdown))
    assert seen.tags <= SAFE_TAGS
    assert seen.attributes <= {("a", "href"), ("a", "title"), ("a", "rel"), ("ol", "start")}
    assert {href for href in seen.hrefs if not href.lower().startswith(("http://", "https://", "mailto:"))} == set()


@settings(deadline=None, max_examples=200)
@given(PIECES)
def test_plain_text_is_valid_utf_8_without_outer_line_breaks(markdown: str) -> None:
    plain = to_plain_text(markdown)
    assert plain.encode().decode() == plain
    assert "\r" not in plain
    assert plain == plain.strip("\n")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.from_regex(r"\A[a-z]{1,8}\Z"), min_size=1))
def test_prose_is_unchanged_in_html_and_plain_text(words: list[str]) -> None:
    text = " ".join(words)
    assert (to_html(text), to_plain_text(text)) == (f"<p>{text}</p>\n", text)


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("Two\nlines\\\nand *a* `break`", "Two lines\nand a break"),
        ("# Title\ntext\n\nmore", "Title\n\ntext\n\nmore"),
        ("[Xen](https://xen.org/a)", "Xen (https://xen.org/a)"),
        ("[*Xen*](https://xen.org)", "Xen (https://xen.org)"),
        ("[https://xen.org](https://xen.org)", "https://xen.org"),
        ("<https://xen.org/a%20b>", "https://xen.org/a%20b"),
        ("[https://xen.org/ü](https://xen.org/ü)", "https://xen.org/%C3%BC"),
        ("<a@xen.org> [a@xen.org](mailto:a@xen.org) [A](mailto:a@xen.org)", "a@xen.org a@xen.org A (mailto:a@xen.org)"),
        ("[](https://xen.org)", "https://xen.org"),
        ("![Map](https://xen.org/m.png)", "Map (https://xen.org/m.png)"),
        ("[a](javascript:b)", "[a](javascript:b)"),
        ("~~Mon~~ Tue &amp; <b>", "~~Mon~~ Tue & <b>"),
        ("a\n- b\n  c\n- d\n\ne", "a\n\n- b c\n- d\n\ne"),
        ("- a\n\n  b\n- c", "- a\n\n  b\n\n- c"),
        ("- a\n  - b\n    1. c\n    2. d\n- e", "- a\n  - b\n    1. c\n    2. d\n- e"),
        ("9. a\n10. b\n    - c", "9. a\n10. b\n    - c"),
        ("> a\n> - b\n\nc", "> a\n\n> - b\n\nc"),
        ("a\n```py\n  b\n\nc\n```\nd", "a\n\n  b\n\nc\n\nd"),
        ("a\n\n---\nb", "a\n\n---\n\nb"),
        ("| a | b |\n|-|-|\n| [c](https://d.e) | |\n\nf", "a | b\nc (https://d.e) |\n\nf"),
        ("- \n- a", "- a"),
    ],
)
def test_markdown_is_rendered_as_plain_text(markdown: str, plain: str) -> None:
    assert to_plain_text(markdown) == plain


@pytest.mark.parametrize("depth", [20, 5_000])
def test_text_nested_beyond_the_limit_stays_unformatted(depth: int) -> None:
    markdown = f"{'> ' * depth}deep\n\nend"
    assert to_html(markdown) == f"<p>{html.escape('> ' * depth)}deep</p>\n<p>end</p>"
    assert to_plain_text(markdown) == markdown


@pytest.mark.parametrize(("marker", "tag"), [("> ", "blockquote"), ("- ", "ul")])
def test_six_levels_of_nesting_are_rendered(marker: str, tag: str) -> None:
    assert to_html(f"{marker * 6}deep").count(f"<{tag}>") == 6


def test_text_with_markup_beyond_the_limit_stays_unformatted() -> None:
    assert to_html("*a* " * (MAX_MARKUP_CHARACTERS // 2)).count("<em>") == MAX_MARKUP_CHARACTERS // 2
    assert to_html("*a* " * MAX_MARKUP_CHARACTERS) == f"<p>{'*a* ' * MAX_MARKUP_CHARACTERS}</p>"
    assert to_plain_text("\n*a*  \n" * MAX_LINES) == ("\n*a*  \n" * MAX_LINES).strip("\n")


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    [
        *("[", ">", "*", "_", "`", "~", "<", "&", "|", "\\", "\n", "\t", " ", "!["),
        *("[a](", "[]", "[[]", "]*", "*a ", "**a", "> ", "- ", "1. ", "-\n", ">\n", "a\n", "[a\n", "# a\n", "```\n"),
        *("a|b\n-|-\n", "[a]: b\n", "<a@b.c>", "<!--", "![a](http://b)", "[a](<b", '[a](b "', "word ", "&amp;"),
    ],
)
def test_rendering_100_kilobytes_of_any_syntax_finishes_in_time(piece: str) -> None:
    markdown = (piece * 100_000)[:100_000]
    _render_both(markdown)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "markdown",
    [
        "![" * (MAX_MARKUP_CHARACTERS // 2),
        "[" * MAX_MARKUP_CHARACTERS,
        "[a](http://" * (MAX_MARKUP_CHARACTERS // 4),
        ">" * 15 + "a\n" + "b\n" * (MAX_LINES - 2),
        "a|b|c\n-|-|-\n" + "x|y|z\n" * (MAX_LINES - 3),
        "|a" * 98 + "\n" + "|-" * 98 + "\n" + "a\n" * 97,
        "".join("`" * n + " " for n in range(98)),
        "- " * 7 + "a\n" + "  - b\n" * (MAX_LINES - 2),
        "[" + "a" * 99_998 + "]",
    ],
    ids=range(9),
)
def test_rendering_text_at_the_markup_limits_finishes_in_time(markdown: str) -> None:
    _render_both(markdown)


def _render_both(markdown: str) -> None:
    """Render the text as HTML and as plain text. The timeout marker of the test limits the time."""
    to_html(markdown)
    to_plain_text(markdown)
