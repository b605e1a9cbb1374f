"""Every cache is limited in bytes, or has a reason why it cannot grow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "eventcal"
HELPER = "kit/bounded_cache.py"

# Unlimited caches, each with the reason why clients cannot make it grow.
CLOSED_CACHES = {
    "feeds/zones/tzif.py: get_zone": "the time zones of tzdata; unknown names raise an error",
    "kit/database.py: _last_migration": "no arguments",
    "kit/localtime.py: _zone_names": "no arguments",
    "kit/localtime.py: common_zones": "no arguments",
    "kit/localtime.py: _read_zone": "the time zones of tzdata; get_zone rejects unknown names",
    "kit/translations.py: load_translations": "the languages of the catalogues",
    "kit/validators.py: _country_codes": "no arguments",
    "members/password_rules.py: _common_passwords": "no arguments",
    "web/embeds/builder.py: _script_representation": "no arguments",
    "web/http/slow_clients.py: _open_memory_statistics": "no arguments",
    "web/i18n.py: parse_locale": "the language tags that preferred_language returns",
    "web/schemas/response_schema.py: _build_serialization_plan": "schema classes and names of their fields",
    "web/schemas/response_schema.py: page_schema": "schema classes",
}
# Dictionaries that outlive a request and to which entries are added, each with the reason why they cannot grow.
GROWING_DICTIONARIES = {
    **dict.fromkeys(
        [f"feeds/index/entry_writer.py: {name}" for name in ("_new", "_talks", "_touched", "rows")],
        "an instance for each update of the feed index",
    ),
    "kit/concurrency.py: _threads_by_key": "one key per waiting or running thread",
    "kit/log_throttle.py: _entries": "limited to `max_keys`",
    "lint/parser.py: properties_by_name": "an instance for each component of a file",
    "web/http/errors.py: headers": "local to a function",
    "web/http/problem_details.py: headers": "an instance for each response",
    "web/http/representation.py: encodings": "the supported content encodings; counted by the response cache",
    "web/process_state.py: _counts": "limited to MAX_COUNTERS hashes, and emptied every minute",
    "web/request/request_counter.py: _times": "limited to `max_keys`",
    "web/response_cache.py: _entries": "limited in bytes by the response cache",
    "web/response_cache.py: _responses": "limited to eight short headers per representation",
}
CACHE_DECORATORS = {"cache", "lru_cache"}
DICTIONARY_TYPES = {"dict", "defaultdict", "OrderedDict", "Counter", "WeakValueDictionary", "WeakKeyDictionary"}
ADDING_METHODS = {"setdefault", "update"}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name != HELPER and not name.startswith("migrations/"):
            yield name, ast.parse(path.read_text())


def _names_in(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)} | {
        found.attr for found in ast.walk(node) if isinstance(found, ast.Attribute)
    }


def list_unlimited_caches(tree: ast.Module) -> list[str]:
    """Return the names of functions that are decorated with, or passed to, a cache of functools."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found += [node.name for one in node.decorator_list if CACHE_DECORATORS & _names_in(one)]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_factory(node.value.func):
            found.append(ast.unparse(node.targets[0]))
    return found


def _is_factory(function: ast.expr) -> bool:
    """Return whether a function is `cache`, `functools.cache`, or the result of calling `lru_cache`."""
    called = function.func if isinstance(function, ast.Call) else function
    is_imported = isinstance(called, ast.Name) or ast.unparse(called).startswith("functools.")
    return is_imported and ast.unparse(called).rpartition(".")[2] in CACHE_DECORATORS


def list_growing_dictionaries(tree: ast.Module) -> list[str]:
    """Return the dictionaries in modules and instances to which a function other than a constructor adds entries."""
    outliving = {
        ast.unparse(target).removeprefix("self.")
        for node, in_function in _walk_with_scope(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and _is_dictionary(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if not in_function or isinstance(target, ast.Attribute)
    }
    return sorted(name for name in outliving if name in set(_iter_filled(tree)))


def _walk_with_scope(node: ast.AST, *, in_function: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, in_function
        inside = in_function or isinstance(child, (ast.FunctionDef, ast.Lambda))
        yield from _walk_with_scope(child, in_function=inside)


def _is_dictionary(value: ast.expr) -> bool:
    """Return whether an expression creates an empty dictionary, or is the default factory of a field."""
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.Tuple):
        return any(map(_is_dictionary, value.elts))
    return isinstance(value, ast.Call) and (
        bool(DICTIONARY_TYPES & _names_in(value.func)) or any("dict" in _names_in(one) for one in value.keywords)
    )


def _iter_filled(tree: ast.Module) -> Iterator[str]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                yield _last_name(node.value)
            elif (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ADDING_METHODS
            ):
                yield _last_name(node.func.value)


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def test_unlimited_caches_are_listed_with_a_reason() -> None:
    found = {f"{module}: {name}" for module, tree in _modules() for name in list_unlimited_caches(tree)}
    assert found == set(CLOSED_CACHES), "Use eventcal.kit.bounded_cache, or list the cache with a reason."


def test_growing_dictionaries_are_listed_with_a_reason() -> None:
    found = {f"{module}: {name}" for module, tree in _modules() for name in list_growing_dictionaries(tree)}
    assert found == set(GROWING_DICTIONARIES), "Use eventcal.kit.bounded_cache, or list the dictionary with a reason."


@pytest.mark.parametrize(
    "source",
    [
        "@cache\ndef f(a): ...",
        "@functools.lru_cache(10)\ndef f(a): ...",
        "class A:\n    @lru_cache\n    def f(self): ...",
        "f = lru_cache(10)(g)",
        "f = functools.cache(g)",
    ],
)
def test_caches_of_functools_are_found(source: str) -> None:
    assert list_unlimited_caches(ast.parse(source)) == ["f"]


@pytest.mark.parametrize(
    "source",
    [
        "d = {}\ndef f(a):\n    d[a] = 1",
        "d: dict[str, int] = {}\ndef f(a):\n    d.setdefault(a, 1)",
        "d = defaultdict(list)\ndef f(a):\n    d[a] = 1",
        "class A:\n    def __init__(self):\n        self.d = {}\n    def f(self, a):\n        self.d[a] = 1",
        "class A:\n    d: dict[str, int] = field(default_factory=dict)\ndef f(a):\n    a.d[1] = 1",
    ],
)
def test_dictionaries_that_outlive_a_request_are_found(source: str) -> None:
    assert list_growing_dictionaries(ast.parse(source)) == ["d"]


def test_local_and_constant_dictionaries_are_allowed() -> None:
    source = "d = {}\nd[1] = 2\ndef f(a):\n    e = {}\n    e[a] = 1\n    return e | d"
    assert list_growing_dictionaries(ast.parse(source)) == []
