"""Tests that the catalogues contain every message, and that every text on pages can be translated."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from eventcal.kit.translations import LANGUAGES, SOURCE_LANGUAGE, catalogue_path, compile_catalogue, load_translations
from tests.translatable_messages import (
    ROOT,
    catalogue_errors,
    code_errors,
    extract_messages,
    iter_messages,
    plural_forms,
    template_errors,
)

WEB = ROOT / "eventcal" / "web"
PACKAGES_WITH_TEXT = ("pages", "embeds")
TEMPLATES = sorted(
    path
    for name in (*PACKAGES_WITH_TEXT, "feeds", "mail")
    for path in (WEB / "templates" / name).rglob("*.*")
    if path.is_file()
)
PAGE_MODULES = sorted(path for name in PACKAGES_WITH_TEXT for path in (WEB / name).rglob("*.py"))
TRANSLATED_LANGUAGES = [code for code in LANGUAGES if code != SOURCE_LANGUAGE]
INFORMAL_ADDRESS = re.compile(r"\b(du|dich|dir|dein\w*)\b", re.IGNORECASE)


def read_catalogue(code: str) -> Catalog:
    with catalogue_path(code).open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def iter_translations(catalogue: Catalog) -> Iterator[str]:
    for message in iter_messages(catalogue):
        yield from plural_forms(message.string)


# Catalogues


@pytest.mark.parametrize("code", TRANSLATED_LANGUAGES)
def test_catalogue_contains_exactly_the_messages_of_the_pages(code: str) -> None:
    faults = catalogue_errors(extract_messages(), read_catalogue(code))
    assert not faults, "\n".join(["`make words` brings the catalogue up to the pages, but for the words:", *faults])


@pytest.mark.parametrize("code", TRANSLATED_LANGUAGES)
def test_loaded_translations_match_the_catalogue(code: str) -> None:
    words = load_translations(code)
    for message in iter_messages(read_catalogue(code)):
        if not all(plural_forms(message.string)):
            continue  # the previous test reports missing translations
        if isinstance(message.id, str):
            assert words.ugettext(message.id) == message.string
        else:
            one, more = message.id
            assert [words.ungettext(one, more, number) for number in (1, 2)] == plural_forms(message.string)


def test_no_compiled_catalogues_are_stored() -> None:
    assert list((ROOT / "eventcal" / "translations").rglob("*.mo")) == []
    assert {path.parents[1].name for path in (ROOT / "eventcal" / "translations").rglob("*.po")} == set(
        TRANSLATED_LANGUAGES
    )


def test_built_package_contains_data_files_and_compiled_catalogues(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own
    built = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    package = ROOT / "eventcal"
    assert {
        str(path.relative_to(ROOT)) for kind in ("html", "json", "toml") for path in package.rglob(f"*.{kind}")
    } <= built
    for code in TRANSLATED_LANGUAGES:
        source = catalogue_path(code).relative_to(ROOT)
        assert str(source) not in built
        assert (tmp_path / source.with_suffix(".mo")).read_bytes() == compile_catalogue(catalogue_path(code))


def test_german_translations_use_the_formal_address() -> None:
    assert [string for string in iter_translations(read_catalogue("de")) if INFORMAL_ADDRESS.search(string)] == []


# Untranslatable text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(WEB).as_posix())
def test_every_text_of_a_template_is_translatable(path: Path) -> None:
    assert list(template_errors(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", PAGE_MODULES, ids=lambda path: path.relative_to(WEB).as_posix())
def test_every_text_passed_to_a_page_is_translatable(path: Path) -> None:
    assert list(code_errors(path.read_text(encoding="utf-8"))) == []


# Each of the following errors is detected.


def _make_source_catalogue(*ids: str | tuple[str, str]) -> Catalog:
    catalogue = Catalog()
    for each in ids:
        catalogue.add(each, locations=[("page.html", 7)])
    return catalogue


def _make_german_catalogue(text: str) -> Catalog:
    return read_po(text.splitlines(), locale="de")


PLURAL_MESSAGE = ("%(num)s talk", "%(num)s talks")


@pytest.mark.parametrize(
    ("message", "german", "fault"),
    [
        ("Talk", "", "page.html:7: 'Talk' is not in the catalogue"),
        ("Talk", 'msgid "Talk"\nmsgstr ""', "page.html:7: 'Talk' is not translated"),
        ("Talk", '#, fuzzy\nmsgid "Talk"\nmsgstr "Vortrag"', "page.html:7: 'Talk' is a guess (fuzzy)"),
        (
            "By %(name)s",
            'msgid "By %(name)s"\nmsgstr "Von %(Name)s"',
            "page.html:7: 'By %(name)s' has other placeholders: 'Von %(Name)s'",
        ),
        (
            "All",
            'msgid "All"\nmsgstr "100 %"',
            "page.html:7: 'All' has a percent sign that is no placeholder: '100 %'",
        ),
        (
            PLURAL_MESSAGE,
            'msgid "%(num)s talk"\nmsgid_plural "%(num)s talks"\nmsgstr[0] "%(num)s Vortrag"\nmsgstr[1] ""',
            f"page.html:7: {PLURAL_MESSAGE!r} is not translated",
        ),
        (
            PLURAL_MESSAGE,
            'msgid "%(num)s talk"\nmsgstr "%(num)s Vortrag"',
            f"page.html:7: {PLURAL_MESSAGE!r} is not in the catalogue",
        ),
    ],
)
def test_missing_or_incorrect_translation_is_detected(message: str | tuple[str, str], german: str, fault: str) -> None:
    assert catalogue_errors(_make_source_catalogue(message), _make_german_catalogue(german)) == [fault]


@pytest.mark.parametrize("mark", ["", "#~ "])
def test_obsolete_translation_is_detected(mark: str) -> None:
    german = _make_german_catalogue(f'{mark}msgid "Gone"\n{mark}msgstr "Weg"')
    assert catalogue_errors(_make_source_catalogue(), german) == ["nowhere: 'Gone' is said nowhere"]


@pytest.mark.parametrize(
    "text",
    [
        "<p>Talks</p>",
        "{% macro word(one) %}Talks{% endmacro %}",
        "<p>{{ count }} talks</p>",
        '<p title="Talks">1</p>',
        '<input placeholder="Search {{ what }}">',
        "{{ _(word) }}",
        '{{ _("Talks of " ~ day) }}',
        '{{ ngettext("a talk", many, count) }}',
    ],
)
def test_untranslatable_text_of_a_template_is_detected(text: str) -> None:
    assert len(list(template_errors(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<p class="talks">{{ _("Talks") }}: {{ title }} (.ics)</p>',
        '{# a comment #}{{ ngettext("%(num)s talk", "%(num)s talks", count) }}',
        '<script type="application/ld+json">{"name": "value"}</script>',
        '<a href="/talks" title="{{ title }}">Atom</a>',
        '{% macro said(name) %} aria-describedby="{% if name %}{{ name }}-hint{% endif %}"{% endmacro %}',
    ],
)
def test_template_without_untranslatable_text_is_accepted(text: str) -> None:
    assert list(template_errors(text)) == []


@pytest.mark.parametrize(
    "line",
    [
        'def f(): return Page(title="All talks")',
        'def f(day): return Page(title=f"Talks of {day}")',
        'def f(): return {"label": "Next"}',
        "def f(word): return _(word)",
        'def f(many): return ngettext("a talk", many, 2)',
        'WORDS = {"talk": _("Talk")}',
        'class Words:\n    talk = _("Talk")',
    ],
)
def test_untranslatable_text_in_code_is_detected(line: str) -> None:
    assert len(list(code_errors(line))) == 1


@pytest.mark.parametrize(
    "line", ['def f(): return Page(title=_("Talks"))', 'def f(row): return Page(title=f"{row.title}, {row.city}")']
)
def test_translatable_text_in_code_is_accepted(line: str) -> None:
    assert list(code_errors(line)) == []
