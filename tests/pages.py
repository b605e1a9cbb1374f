"""Reading a page as a browser and a checker of HTML do."""

from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from html5lib.constants import E
from html5lib.treebuilders import getTreeBuilder

from tests.fetching import fetch

_TREE = getTreeBuilder("etree")
# Attributes by which a page has something fetched without anybody's doing.
_FETCHES = {"src", "srcset", "poster", "data", "background", "action", "formaction"}


def faults_of(html: str) -> list[str]:
    """Return what a browser has to put right in a page, with its line."""
    parser = html5lib.HTMLParser(tree=_TREE, namespaceHTMLElements=False)
    parser.parse(html)
    return [f"line {place[0]}: {E.get(code, code) % data}" for place, code, data in parser.errors]


def tree_of(html: str) -> Element:
    """Return a page's elements, without their namespace."""
    parser = html5lib.HTMLParser(tree=_TREE, namespaceHTMLElements=False)
    tree: Element = parser.parse(html)
    return tree


def text_of(element: Element) -> str:
    """Return what an element says, on one line."""
    return " ".join("".join(element.itertext()).split())


def fetched_by(tree: Element) -> Iterator[str]:
    """Give the addresses of everything that a browser fetches or sends to by itself for a page."""
    for element in tree.iter():
        if element.tag == "link" and element.get("rel") in {"stylesheet", "icon", "preload", "manifest"}:
            yield element.get("href", "")
        yield from (value for name, value in element.attrib.items() if name in _FETCHES)


def is_ours(url: str) -> bool:
    """Say whether an address is on this very host."""
    return not urlsplit(url).scheme and not url.startswith("//")


def page(app: Flask, path: str, **headers: str) -> Element:
    """Return a page that has no faults."""
    answer = fetch(app, path, **{"Accept": "text/html", **headers})
    assert (answer.status_code, answer.mimetype) == (200, "text/html"), answer.text
    assert faults_of(answer.text) == []
    return tree_of(answer.text)
