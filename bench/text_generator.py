"""Generated texts of talks, which consist of sentences from the Python documentation.

The texts are the same in each run with the same Python version. Sentences are used because random words compress worse
than natural language, and compression is one of the measurements.
"""

import ast
import random
import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from pydoc_data.topics import topics

# The length of paragraphs in characters. An abstract of 600 characters has two paragraphs.
_PARAGRAPH_LENGTH = 250
# The pattern of sentences in the documentation, which excludes code, lists and tables.
_SENTENCE_PATTERN = re.compile(r"[A-Z][A-Za-z0-9 ,.;:()'/=-]{40,}\.")
_WORD_PATTERN = re.compile(r"(?<![\w-])[a-z]{5,11}(?![\w-])")


class TextGenerator:
    """Generates titles, names and texts. Equal seeds produce equal results."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._sentences = _load_sentences()
        self._sentence_cycle = cycle(self._sentences)
        self._words = sorted({word for one in self._sentences for word in _WORD_PATTERN.findall(one)})

    def word(self) -> str:
        """Return a word."""
        word: str = self._random.choice(self._words)
        return word

    def title(self) -> str:
        """Return the title of a talk."""
        sentence: str = self._random.choice(self._sentences)
        return " ".join(sentence.split()[: self._random.randint(4, 8)]).rstrip(" .,;:(").title()

    def name(self) -> str:
        """Return the name of a person."""
        return f"{self.word().capitalize()} {self.word().capitalize()}"

    def text(self, characters: int) -> str:
        """Return a Markdown text of this length. Sentences are repeated only after all sentences have been used."""
        text = next(self._sentence_cycle)
        while len(text) < characters:
            ends = len(text.rpartition("\n")[2]) > _PARAGRAPH_LENGTH
            text += ("\n\n" if ends else " ") + next(self._sentence_cycle)
        cut = text[: characters - 1].rstrip(" .,\n")
        return f"{cut}."


@cache
def _load_sentences() -> Sequence[str]:
    """Return the unique sentences of the documentation in their order."""
    found: dict[str, None] = {}
    for text in _iter_documentation():
        paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
        found |= dict.fromkeys(filter(_SENTENCE_PATTERN.fullmatch, paragraphs))
    return tuple(found)


def _iter_documentation() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if not {"site-packages", "test"} & set(path.parts):
            yield from _read_docstrings(path)
    for name in sorted(topics):
        yield re.sub('[*"]', "", topics[name])


def _read_docstrings(path: Path) -> Iterable[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:
        # Some files of the standard library are templates, or are written for another version of Python.
        return ()
    documented = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    return [ast.get_docstring(node) or "" for node in documented]
