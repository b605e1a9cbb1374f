"""The texts in templates and code, and checks that all of them can be translated."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from typing_extensions import TypeIs

ROOT = Path(__file__).resolve().parents[1]
TRANSLATING = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
HAVE_PLURALS = {"ngettext", "npgettext"}

# What is called the same in every language.
NAMES = re.compile(
    r"\.?\b(Apple|Atom|CSV|Google Calendar|Google|GNOME|iCalendar|ics|iPad|iPhone|JSON|KDE|Mac|Microsoft|Outlook|RSS|"
    r"schedule|Thunderbird|URL|UTC|XML|xml|webcal)\b"
)
WORD = re.compile(r"[^\W\d_]{2,}")
# Attributes that are read to people, and keys of values that pages show.
SPOKEN = {"alt", "aria-description", "aria-label", "aria-roledescription", "label", "placeholder", "title"}
SHOWN = {"caption", "description", "heading", "label", "text", "title"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[ds]")
# A macro that gives attributes of a tag that stands elsewhere.
OF_A_TAG = re.compile(r"(\{% macro [^%]+%\})[^<]*?=\"[^<]*?(\{%-? endmacro -?%\})")
PERCENT = re.compile(r"%(?!\(\w+\)[ds])")


@cache
def said() -> Catalog:
    """Give every message of templates and code with its places, found as `make words` finds them."""
    with TemporaryDirectory() as folder:
        found = Path(folder) / "words.pot"
        command = [
            *(sys.executable, "-m", "babel.messages.frontend"),
            "--quiet",
            "extract",
            "--mapping-file",
            "pyproject.toml",
            "--keywords",
            "Message",
            "--output-file",
            str(found),
        ]
        subprocess.run([*command, "eventcal"], cwd=ROOT, check=True, timeout=120)  # noqa: S603 - the extractor on our own files
        return read_po(BytesIO(found.read_bytes()))


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Give the messages of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def catalogue_faults(said: Catalog, catalogue: Catalog) -> list[str]:
    """Give what a catalogue lacks of what pages say, and what it has too much, each with its string and place."""
    found = [fault for message in messages(said) for fault in _faults(message, catalogue)]
    kept = [message for message in messages(catalogue) if said.get(_first(message.id), message.context) is None]
    gone = [f"{_named(message)} is said nowhere" for message in [*kept, *catalogue.obsolete.values()]]
    return found + gone


def _faults(message: Message, catalogue: Catalog) -> Iterator[str]:
    there = catalogue.get(_first(message.id), message.context)
    if there is None or there.id != message.id:
        yield f"{_named(message)} is not in the catalogue"
        return
    if there.fuzzy:
        yield f"{_named(message)} is a guess (fuzzy)"
    forms = forms_of(there.string)
    wanted = catalogue.num_plurals if message.pluralizable else 1
    if len(forms) != wanted or not all(forms):
        yield f"{_named(message)} is not translated"
        return
    sources = forms_of(message.id)
    for number, form in enumerate(forms):
        source = sources[min(number, len(sources) - 1)]
        if set(PLACEHOLDER.findall(source)) != set(PLACEHOLDER.findall(form)):
            yield f"{_named(message)} has other placeholders: {form!r}"
        if PERCENT.search(form.replace("%%", "")):
            yield f"{_named(message)} has a percent sign that is no placeholder: {form!r}"


def _named(message: Message) -> str:
    places = ", ".join(f"{file}:{line}" for file, line in message.locations)
    return f"{places or 'nowhere'}: {message.id!r}"


def forms_of(strings: str | Iterable[str] | None) -> list[str]:
    """Give the forms of a message: one, or one for each number."""
    return [strings] if isinstance(strings, str) else list(strings or [""])


def _first(strings: str | Iterable[str]) -> str:
    return forms_of(strings)[0]


# Words that no catalogue can have


class _Read(HTMLParser):
    """What of a template is read to people."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in SPOKEN:
                self._take(value or "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self._take(data)

    def _take(self, text: str) -> None:
        if WORD.search(NAMES.sub("", text)):
            self.found.append((self.getpos()[0], " ".join(text.split())))


def template_faults(text: str) -> Iterator[str]:
    """Give the words of a template that stand there bare, and messages that are put together as it is rendered."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    reader = _Read()
    for _line, kind, value in environment.lex(OF_A_TAG.sub(_emptied, text)):
        reader.feed(value if kind == "data" else "\n" * value.count("\n"))
    reader.close()
    for line, words in reader.found:
        yield f"line {line} has words that stand outside of _(): {words!r}"
    for call in environment.parse(text).find_all(nodes.Call):
        name = getattr(call.node, "name", "")
        if name in TRANSLATING and not all(isinstance(one, nodes.Const) for one in call.args[: _texts(name)]):
            yield f"line {call.lineno} translates what is not written there"


def _emptied(macro: re.Match[str]) -> str:
    return macro[1] + "\n" * macro[0].count("\n") + macro[2]


def code_faults(text: str) -> Iterator[str]:
    """Give the words of a module that pages show as they are, and messages that are no message of a request."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name, value in _values(node):
            if name in SHOWN and WORD.search(NAMES.sub("", _literal(value))):
                yield f"line {value.lineno} shows words that stand outside of _(): {_literal(value)!r}"
        if _translates(node) and not all(map(_written, node.args[: _texts(_callee(node))])):
            yield f"line {node.lineno} translates what is not written there"
    for node in _at_import(tree):
        if _translates(node):
            yield f"line {node.lineno} translates before anybody asks: it is English for ever"


def _values(node: ast.AST) -> Iterator[tuple[object, ast.expr]]:
    if isinstance(node, ast.keyword):
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield (key.value if isinstance(key, ast.Constant) else None), value


def _literal(value: ast.expr) -> str:
    """Give what a string holds without what is put into it."""
    if isinstance(value, ast.JoinedStr):
        return " ".join(_literal(part) for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _translates(node: ast.AST) -> TypeIs[ast.Call]:
    return isinstance(node, ast.Call) and _callee(node) in TRANSLATING


def _written(text: ast.expr) -> bool:
    """Whether a message stands here. A refusal's sentence stands where it is refused, for programs too."""
    return isinstance(text, ast.Constant) or (isinstance(text, ast.Attribute) and text.attr == "detail")


def _callee(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _texts(name: str) -> int:
    return 1 + (name in HAVE_PLURALS) + name.lstrip("n").startswith("pgettext")


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Give what runs when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _at_import(child)
