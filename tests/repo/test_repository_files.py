import ast
import io
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "eventcal"
MAX_FILE_LINES = 350
MAX_SUPPRESSIONS = 60

# Modules that may end a transaction, each with the reason.
MAY_COMMIT = {
    "eventcal/kit/database.py": "the unit of work",
    "eventcal/kit/migrate.py": "a migration is a transaction of its own, and comes before every unit of work",
    "eventcal/migrations/env.py": "as above, for a developer's scratch database",
}
MAY_READ_THE_CLOCK = {"eventcal/kit/clock.py"}
TRANSACTION_METHODS = {"commit", "rollback", "begin"}
SYSTEM_CLOCK_FUNCTIONS = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime"},
    "func": {"now", "current_timestamp", "current_date", "localtimestamp"},
}

# The names are split, because this file is searched for registries, too.
REGISTRIES = ["py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "deb." + "debian.org"]
LOCAL_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/w", "../sh" + "ared"]

SUPPRESSION = re.compile(r"noqa|type:\s*ignore")
NOQA_WITH_REASON = re.compile(r"noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* - \S")
TYPE_IGNORE_WITH_REASON = re.compile(r"#\s*type: ignore\[[a-z-]+(, ?[a-z-]+)*\]\s+# \S")
CODE_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
MARKDOWN_LINK = re.compile(r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
TEMPLATE_TAG = re.compile(r"{%.*?%}", re.DOTALL)

Check = Callable[[str], Iterable[str]]


def _list_tracked_files() -> list[Path]:
    """Return all files that Git tracks or would track after `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - constant command
    return [path for name in sorted(set(listed.split("\0")) - {""}) if (path := ROOT / name).is_file()]


TRACKED_FILES = _list_tracked_files()
PYTHON_FILES = [path for path in TRACKED_FILES if path.suffix == ".py"]
PACKAGE_FILES = [path for path in TRACKED_FILES if path.is_relative_to(PACKAGE)]
MIGRATIONS = [path for path in PYTHON_FILES if path.parent == PACKAGE / "migrations" / "versions"]


def relative_path(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read_text(path: Path) -> str:
    """Return the text of a file, or an empty string if the file is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def check_files(paths: Iterable[Path], check: Check) -> list[str]:
    return [f"{relative_path(path)}: {found}" for path in paths for found in check(read_text(path))]


# Length of files


# The length of data files is not limited.
_DATA_SUFFIXES = {".json", ".po", ".toml"}


def test_package_files_have_at_most_350_lines() -> None:
    lengths = {
        relative_path(path): len(read_text(path).splitlines())
        for path in PACKAGE_FILES
        if path.suffix not in _DATA_SUFFIXES
    }
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


# Size of directories


MAX_MODULES = {"eventcal": 24, "tests": 30}


def test_directories_hold_a_limited_number_of_modules() -> None:
    counts = Counter(path.parent for path in PYTHON_FILES)
    # The number of migrations grows with every release.
    limited = counts.keys() - {ROOT, *(path.parent for path in MIGRATIONS)}
    limits = {folder: MAX_MODULES.get(folder.relative_to(ROOT).parts[:1][0], 30) for folder in limited}
    assert {relative_path(folder): counts[folder] for folder, limit in limits.items() if counts[folder] > limit} == {}


# Transactions


def find_commits(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in TRANSACTION_METHODS
        ):
            yield f"line {node.lineno} calls {node.func.attr}"


def test_only_the_unit_of_work_and_migrations_end_a_transaction() -> None:
    others = [path for path in PACKAGE_FILES if path.suffix == ".py" and relative_path(path) not in MAY_COMMIT]
    assert check_files(others, find_commits) == []


def test_every_module_that_may_commit_does() -> None:
    assert [name for name in MAY_COMMIT if not list(find_commits(read_text(ROOT / name)))] == []


@pytest.mark.parametrize("line", ["session.commit()", "db.session.rollback()", "with engine.begin(): pass"])
def test_commit_is_detected(line: str) -> None:
    assert len(list(find_commits(line))) == 1


# Clock


def find_clock_reads(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if node.attr in SYSTEM_CLOCK_FUNCTIONS.get(name, ()):
                yield f"line {node.lineno} uses {name}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                renamed = node.module == "datetime" and alias.asname and alias.name in SYSTEM_CLOCK_FUNCTIONS
                if renamed or (node.module == "time" and alias.name in SYSTEM_CLOCK_FUNCTIONS["time"]):
                    yield f"line {node.lineno} imports {alias.name}"


def test_only_the_clock_module_reads_the_system_clock() -> None:
    others = [path for path in PACKAGE_FILES if path.suffix == ".py" and relative_path(path) not in MAY_READ_THE_CLOCK]
    assert check_files(others, find_clock_reads) == []


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "dt.date.today()",
        "time.time()",
        "field(default_factory=datetime.now)",
        "from time import time",
        "from datetime import datetime as dt",
        "sa.func.now()",
    ],
)
def test_use_of_the_system_clock_is_detected(line: str) -> None:
    assert len(list(find_clock_reads(line))) == 1


@pytest.mark.parametrize("line", ["self.clock.now()", "time.monotonic()", "unit.now", "from datetime import datetime"])
def test_other_uses_of_time_are_accepted(line: str) -> None:
    assert list(find_clock_reads(line)) == []


# Suppressed rules


def find_suppressions(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and SUPPRESSION.search(token.string):
            yield f"line {token.start[0]} says {token.string}"


def find_unexplained_suppressions(text: str) -> Iterator[str]:
    for comment in find_suppressions(text):
        wanted = NOQA_WITH_REASON if "noqa" in comment else TYPE_IGNORE_WITH_REASON
        if not wanted.search(comment):
            yield comment


def test_every_suppressed_rule_is_named_with_a_reason() -> None:
    assert check_files(PYTHON_FILES, find_unexplained_suppressions) == []


def test_package_has_at_most_sixty_suppressed_rules() -> None:
    comments = check_files([path for path in PYTHON_FILES if path.is_relative_to(PACKAGE)], find_suppressions)
    assert len(comments) <= MAX_SUPPRESSIONS, "\n".join(comments)


@pytest.mark.parametrize(
    "comment",
    ["# noqa", "# noqa: S603", "# noqa: S603 -", "# type: ignore", "# type: ignore[misc]", "# type: ignore  # untyped"],
)
def test_suppressed_rule_without_a_reason_is_detected(comment: str) -> None:
    assert len(list(find_unexplained_suppressions(f"x = 1  {comment}\n"))) == 1


@pytest.mark.parametrize(
    "comment", ["# noqa: S603, S607 - git", "# noqa: S603 - git", "# type: ignore[misc, arg-type]  # carries no types"]
)
def test_suppressed_rule_with_a_reason_is_accepted(comment: str) -> None:
    assert list(find_unexplained_suppressions(f"x = 1  {comment}\n")) == []


# Links


def find_local_links(text: str) -> Iterator[str]:
    """Yield the targets of local links in a Markdown text, without fragments."""
    for match in MARKDOWN_LINK.finditer(INLINE_CODE.sub("", CODE_FENCE.sub("", text))):
        target = (match[1] or match[2]).partition("#")[0]
        if target and not re.match(r"[a-z][a-z0-9+.-]*:", target):
            yield unquote(target)


def test_every_local_link_of_the_documentation_points_to_a_file() -> None:
    pages = [path for path in TRACKED_FILES if path.suffix == ".md"]
    lost = [
        f"{relative_path(page)}: {to}"
        for page in pages
        for to in find_local_links(read_text(page))
        if not (page.parent / to).exists()
    ]
    assert lost == []


def test_links_are_found_in_prose_and_not_in_code() -> None:
    text = (
        'See [a](a.md), ![b](img/b%20c.png "B"), [top](#top), [out](https://example.org/x), [mail](mailto:a@b.example)'
        "\n\n```\n[no](no.md)\n```\n\n`[no](no.md)` and [c][c]\n\n[c]: ../c.md#part\n"
    )
    assert list(find_local_links(text)) == ["a.md", "img/b c.png", "../c.md"]


# URLs of the app


def find_literal_urls(text: str) -> Iterator[str]:
    """Yield the attributes in a template with a path that url_for does not build, such as "href=/path"."""
    for match in re.finditer(r'\b(href|action|src)="(/[^"]*)"', TEMPLATE_TAG.sub("", text)):
        yield f"{match[1]}={match[2]}"


def test_templates_build_the_urls_of_the_app_with_url_for() -> None:
    assert check_files((path for path in PACKAGE_FILES if path.suffix == ".html"), find_literal_urls) == []


@pytest.mark.parametrize(
    "attribute",
    ['href="/"', 'href="/talks/{{ talk.id }}"', 'action="/login"', 'href="{% if is_public %}/talks{% endif %}"'],
)
def test_literal_url_is_detected(attribute: str) -> None:
    assert len(list(find_literal_urls(f"<a {attribute}>"))) == 1


@pytest.mark.parametrize(
    "attribute",
    ["href=\"{{ url_for('pages.my_talks') }}\"", 'href="?past"', 'href="#content"', 'href="https://example.org/"'],
)
def test_other_url_is_accepted(attribute: str) -> None:
    assert list(find_literal_urls(f"<a {attribute}>")) == []


# Registries and local paths


@pytest.mark.parametrize("word", [*REGISTRIES, *LOCAL_PATHS], ids=lambda word: word.strip("./").replace("/", "-"))
def test_no_file_names_a_package_registry_or_a_local_path(word: str) -> None:
    assert [relative_path(path) for path in TRACKED_FILES if word in read_text(path)] == []


# Migrations


MIGRATION_IMPORTS = frozenset({"sqlalchemy", "alembic", "datetime", "secrets"})


def test_migrations_import_nothing_from_eventcal() -> None:
    def foreign(text: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            yield from (name for name in names if name.partition(".")[0] not in MIGRATION_IMPORTS)

    assert check_files(MIGRATIONS, foreign) == []


def test_migrations_are_numbered_consecutively() -> None:
    numbers = [f"{number:04d}" for number in range(1, len(MIGRATIONS) + 1)]
    assert [path.name.partition("_")[0] for path in MIGRATIONS] == numbers
    stated = [
        re.findall(r'^(?:down_)?revision = (?:"(\d+)"|None)$', read_text(path), re.MULTILINE) for path in MIGRATIONS
    ]
    assert stated == [[number, before] for number, before in zip(numbers, ["", *numbers], strict=False)]
