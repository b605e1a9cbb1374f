"""HTML parsing and validation of pages."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from html5lib.constants import E
from html5lib.treebuilders import getTreeBuilder

from tests.feed_support.feed_client import fetch

_TREE_BUILDER = getTreeBuilder("etree")
# Attributes with URLs that a browser requests without user interaction.
_URL_ATTRIBUTES = {"src", "srcset", "poster", "data", "background", "action", "formaction"}


@lru_cache(16)
def _parse_html(html: str) -> tuple[Element, tuple[str, ...]]:
    parser = html5lib.HTMLParser(tree=_TREE_BUILDER, namespaceHTMLElements=False)
    tree: Element = parser.parse(html)
    return tree, tuple(f"line {place[0]}: {E.get(code, code) % data}" for place, code, data in parser.errors)


def html_parse_errors(html: str) -> list[str]:
    """Return the parse errors in an HTML document with their line numbers."""
    return list(_parse_html(html)[1])


def parse_html(html: str) -> Element:
    """Return the elements of an HTML document without namespaces. The tree is cached and must not be changed."""
    return _parse_html(html)[0]


def element_text(element: Element) -> str:
    """Return the text of an element with single spaces."""
    return " ".join("".join(element.itertext()).split())


def fetched_urls(tree: Element) -> Iterator[str]:
    """Yield the URLs that a page requests without user interaction or submits forms to."""
    for element in tree.iter():
        if element.tag == "link" and element.get("rel") in {"stylesheet", "icon", "preload", "manifest"}:
            yield element.get("href", "")
        yield from (value for name, value in element.attrib.items() if name in _URL_ATTRIBUTES)


def is_same_host(url: str) -> bool:
    return not urlsplit(url).scheme and not url.startswith("//")


def accessibility_errors(tree: Element) -> list[str]:
    """Return accessibility errors that affect users of screen readers."""
    tags = Counter(element.tag for element in tree.iter())
    faults = [f"{tags[tag]} {tag}" for tag in ("h1", "main", "title") if tags[tag] != 1]
    levels = [int(element.tag[1]) for element in tree.iter() if element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}]
    faults += [f"h{after} after h{before}" for before, after in pairwise(levels) if after > before + 1]
    ids = Counter(element.get("id") for element in tree.iter() if element.get("id"))
    faults += [f"two of id {name}" for name, count in ids.items() if count > 1]
    labelled = {element.get("for") for element in tree.iter("label")}
    wrapped = {id(field) for label in tree.iter("label") for field in label.iter()}
    for field in (element for element in tree.iter() if element.tag in {"input", "select", "textarea"}):
        named = field.get("id") in labelled or id(field) in wrapped or field.get("aria-label")
        if field.get("type") not in {"hidden", "submit"} and not named:
            faults.append(f"a field without a label: {field.attrib}")
    faults += [f"an element with {name}" for element in tree.iter() for name in element.attrib if name == "style"]
    faults += [f"a link that says nothing: {one.attrib}" for one in tree.iter("a") if not element_text(one)]
    return faults


def get_page(app: Flask, path: str, **headers: str) -> Element:
    """Return a page after checking that its HTML is valid."""
    answer = fetch(app, path, **{"Accept": "text/html", **headers})
    assert (answer.status_code, answer.mimetype) == (200, "text/html"), answer.text
    assert html_parse_errors(answer.text) == []
    return parse_html(answer.text)
