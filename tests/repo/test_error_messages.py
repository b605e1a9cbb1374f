"""Tests that every error message can be translated and is extracted into the catalogues."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import eventcal
from eventcal.feeds.clients import CLIENTS
from eventcal.kit.errors import DomainError, Message
from eventcal.web.http.errors import list_error_kinds
from tests.translatable_messages import ROOT, extract_messages

# The messages of these modules are in English, because they are for operators or for linting foreign feeds.
ENGLISH_ONLY = ("cli", "datasets", "migrations", "lint")
MODULES = sorted(
    path
    for path in (ROOT / "eventcal").rglob("*.py")
    if not path.relative_to(ROOT / "eventcal").as_posix().startswith(ENGLISH_ONLY)
)
# Modules with ValueError messages for users, except functions that raise ValueError for programming errors.
USER_FACING_MODULES = ("kit/localtime.py", "kit/validators.py", "members/service.py")
INTERNAL_FUNCTIONS = {"_check_naive", "format_with_offset"}
# This module loads its messages from a data file, for which the catalogues have a separate extraction method.
DATA_MESSAGES_MODULE = "feeds/clients.py"
TRANSLATION_CALLS = {"Message", "_", "gettext"}


@pytest.fixture(scope="module", autouse=True)
def _imported_modules() -> None:
    for module in walk_packages(eventcal.__path__, "eventcal."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)


def iter_subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    """Yield all direct and indirect subclasses that are defined in eventcal."""
    for one in kind.__subclasses__():
        yield from iter_subclasses(one)
        if one.__module__.startswith("eventcal."):
            yield one


def test_every_refusal_has_a_translatable_title() -> None:
    found: set[object] = {message.id for message in extract_messages()}
    kinds = [
        kind
        for kind in iter_subclasses(DomainError)
        if not kind.__module__.startswith(("eventcal.cli", "eventcal.datasets"))
    ]
    assert len(kinds) > len(list_error_kinds()) / 2  # werkzeug defines the other error kinds
    assert [kind.__name__ for kind in kinds if getattr(kind.title, "template", None) not in found] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_error_messages_are_translatable(path: Path) -> None:
    kinds = {kind.__name__: 0 for kind in iter_subclasses(DomainError)} | {
        "ValidationError": 0,
        "FieldError": 1,
        "Message": 0,
    }
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_people = path.relative_to(ROOT / "eventcal").as_posix() in USER_FACING_MODULES
    faults: list[str] = []
    for function in ast.walk(tree):
        for call in ast.iter_child_nodes(function):
            faults += _untranslatable_texts(call, kinds)
    if for_people:
        for function in (
            one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name not in INTERNAL_FUNCTIONS
        ):
            faults += [fault for call in ast.walk(function) for fault in _untranslatable_texts(call, {"ValueError": 0})]
    if path.relative_to(ROOT / "eventcal").as_posix() == DATA_MESSAGES_MODULE:
        faults = [fault for fault in faults if not fault.endswith("makes a sentence of what is not written there")]
    assert faults == []


def test_messages_of_the_data_file_are_extracted() -> None:
    found = {message.id for message in extract_messages()}
    texts = [text for facts in CLIENTS.values() for text in (facts.name, facts.expect, facts.refresh_now)]
    assert [text for text in texts if isinstance(text, Message) and text.template not in found] == []


def _untranslatable_texts(call: ast.AST, kinds: dict[str, int]) -> Iterator[str]:
    """Yield a description of each text in the call that cannot be translated."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in kinds:
        return
    for words in call.args[kinds[call.func.id] :][:1]:
        written = isinstance(words, ast.Constant)
        if call.func.id == "Message" and not written:
            yield f"line {call.lineno} makes a sentence of what is not written there"
        if call.func.id != "Message" and (written or isinstance(words, ast.JoinedStr | ast.BinOp)):
            yield f"line {call.lineno} refuses in words that no catalogue has"


@pytest.mark.parametrize(
    "line",
    [
        'raise Forbidden("Not so.")',
        'raise NotFound(f"There is no {slug}.")',
        'FieldError("/name", "is wrong")',
        'raise ValidationError("is " + what)',
        "Message(words)",
        'Message(f"is {what}")',
    ],
)
def test_untranslatable_error_message_is_detected(line: str) -> None:
    kinds = {"Forbidden": 0, "NotFound": 0, "ValidationError": 0, "FieldError": 1, "Message": 0}
    assert len([fault for call in ast.walk(ast.parse(line)) for fault in _untranslatable_texts(call, kinds)]) == 1


@pytest.mark.parametrize(
    "line", ['raise Forbidden(Message("Not so."))', 'FieldError("", _("Not so."))', 'Message("is %(what)s", what=what)']
)
def test_translatable_error_message_is_accepted(line: str) -> None:
    kinds = {"Forbidden": 0, "FieldError": 1, "Message": 0}
    assert [fault for call in ast.walk(ast.parse(line)) for fault in _untranslatable_texts(call, kinds)] == []
