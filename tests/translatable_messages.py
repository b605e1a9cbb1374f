"""The texts in templates and code, and checks that all texts can be translated."""

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
TRANSLATION_FUNCTIONS = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
PLURAL_FUNCTIONS = {"ngettext", "npgettext"}

# Names that are the same in every language.
PROPER_NAMES = re.compile(
    r"\.?\b(Apple|Atom|CSV|Google Calendar|Google|GNOME|iCalendar|ics|iPad|iPhone|JSON|KDE|Mac|Microsoft|Outlook|RSS|"
    r"schedule|Thunderbird|URL|UTC|XML|xml|webcal)\b"
)
WORD = re.compile(r"[^\W\d_]{2,}")
# Attributes whose values are shown or read to users.
TEXT_ATTRIBUTES = {"alt", "aria-description", "aria-label", "aria-roledescription", "label", "placeholder", "title"}
TEXT_KEYS = {"caption", "description", "heading", "label", "text", "title"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[ds]")
# The pattern of a macro that renders the attributes of a tag outside the macro.
ATTRIBUTE_MACRO = re.compile(r"(\{% macro [^%]+%\})[^<]*?=\"[^<]*?(\{%-? endmacro -?%\})")
STRAY_PERCENT = re.compile(r"%(?!\(\w+\)[ds])")


@cache
def extract_messages() -> Catalog:
    """Return all messages in templates and code with their locations, extracted as in `make words`."""
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


def iter_messages(catalogue: Catalog) -> Iterator[Message]:
    """Return the messages of a catalogue without its header."""
    return (message for message in catalogue if message.id)


def catalogue_errors(said: Catalog, catalogue: Catalog) -> list[str]:
    """Return the errors in a catalogue: missing messages and unused messages, each with its text and location."""
    found = [fault for message in iter_messages(said) for fault in _message_errors(message, catalogue)]
    kept = [message for message in iter_messages(catalogue) if said.get(_singular(message.id), message.context) is None]
    gone = [f"{_message_label(message)} is said nowhere" for message in [*kept, *catalogue.obsolete.values()]]
    return found + gone


def _message_errors(message: Message, catalogue: Catalog) -> Iterator[str]:
    there = catalogue.get(_singular(message.id), message.context)
    if there is None or there.id != message.id:
        yield f"{_message_label(message)} is not in the catalogue"
        return
    if there.fuzzy:
        yield f"{_message_label(message)} is a guess (fuzzy)"
    forms = plural_forms(there.string)
    wanted = catalogue.num_plurals if message.pluralizable else 1
    if len(forms) != wanted or not all(forms):
        yield f"{_message_label(message)} is not translated"
        return
    sources = plural_forms(message.id)
    for number, form in enumerate(forms):
        source = sources[min(number, len(sources) - 1)]
        if set(PLACEHOLDER.findall(source)) != set(PLACEHOLDER.findall(form)):
            yield f"{_message_label(message)} has other placeholders: {form!r}"
        if STRAY_PERCENT.search(form.replace("%%", "")):
            yield f"{_message_label(message)} has a percent sign that is no placeholder: {form!r}"


def _message_label(message: Message) -> str:
    places = ", ".join(f"{file}:{line}" for file, line in message.locations)
    return f"{places or 'nowhere'}: {message.id!r}"


def plural_forms(strings: str | Iterable[str] | None) -> list[str]:
    """Return the plural forms of a message, or its only form."""
    return [strings] if isinstance(strings, str) else list(strings or [""])


def _singular(strings: str | Iterable[str]) -> str:
    return plural_forms(strings)[0]


class _TemplateTextParser(HTMLParser):
    """Collects the texts of a template that are shown or read to users."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in TEXT_ATTRIBUTES:
                self._add_text(value or "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self._add_text(data)

    def _add_text(self, text: str) -> None:
        if WORD.search(PROPER_NAMES.sub("", text)):
            self.texts.append((self.getpos()[0], " ".join(text.split())))


def template_errors(text: str) -> Iterator[str]:
    """Yield the untranslated texts of a template, and messages that are composed at render time."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    reader = _TemplateTextParser()
    for _line, kind, value in environment.lex(ATTRIBUTE_MACRO.sub(_blank_macro, text)):
        reader.feed(value if kind == "data" else "\n" * value.count("\n"))
    reader.close()
    for line, words in reader.texts:
        yield f"line {line} has words that stand outside of _(): {words!r}"
    for call in environment.parse(text).find_all(nodes.Call):
        name = getattr(call.node, "name", "")
        if name in TRANSLATION_FUNCTIONS and not all(
            isinstance(one, nodes.Const) for one in call.args[: _count_message_arguments(name)]
        ):
            yield f"line {call.lineno} translates what is not written there"


def _blank_macro(macro: re.Match[str]) -> str:
    return macro[1] + "\n" * macro[0].count("\n") + macro[2]


def code_errors(text: str) -> Iterator[str]:
    """Yield the untranslated texts in a module, and translation calls with a message that is not literal."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name, value in _named_values(node):
            if name in TEXT_KEYS and WORD.search(PROPER_NAMES.sub("", _literal_text(value))):
                yield f"line {value.lineno} shows words that stand outside of _(): {_literal_text(value)!r}"
        if _is_translation_call(node) and not all(
            map(_is_literal_message, node.args[: _count_message_arguments(_function_name(node))])
        ):
            yield f"line {node.lineno} translates what is not written there"
    for node in _iter_import_time_nodes(tree):
        if _is_translation_call(node):
            yield f"line {node.lineno} translates before anybody asks: it is English for ever"


def _named_values(node: ast.AST) -> Iterator[tuple[object, ast.expr]]:
    if isinstance(node, ast.keyword):
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield (key.value if isinstance(key, ast.Constant) else None), value


def _literal_text(value: ast.expr) -> str:
    """Return the literal parts of a string expression."""
    if isinstance(value, ast.JoinedStr):
        return " ".join(_literal_text(part) for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _is_translation_call(node: ast.AST) -> TypeIs[ast.Call]:
    return isinstance(node, ast.Call) and _function_name(node) in TRANSLATION_FUNCTIONS


def _is_literal_message(text: ast.expr) -> bool:
    """Return whether a message is a literal, or the detail of an error, which is extracted from its definition."""
    return isinstance(text, ast.Constant) or (isinstance(text, ast.Attribute) and text.attr == "detail")


def _function_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _count_message_arguments(name: str) -> int:
    return 1 + (name in PLURAL_FUNCTIONS) + name.lstrip("n").startswith("pgettext")


def _iter_import_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that are evaluated when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _iter_import_time_nodes(child)
