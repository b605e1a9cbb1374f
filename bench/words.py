"""Plausible prose, the same each time: some 2,000 English-like words that come as often as words do (Zipf)."""

import random
from collections.abc import Iterator

_ONSETS = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "pr",
    "st",
    "tr",
    "ch",
    "sh",
    "pl",
)
_NUCLEI = ("a", "e", "i", "o", "u", "ea", "io", "ou", "ai", "ee")
_CODAS = ("", "", "", "", "n", "r", "s", "t", "l", "d", "m", "st", "nt", "ck")
_ENDINGS = ("", "", "", "", "ing", "ed", "er", "tion", "ly", "ment", "al", "ity", "ive", "es")
_SMALL = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "with",
    "on",
    "as",
    "we",
    "it",
    "how",
    "this",
    "by",
    "an",
)
_SIZE = 2000
_LONGEST = 11


class Writer:
    """Writes titles, names and texts; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = _vocabulary()
        self._weights = [1 / (rank + 2.7) for rank in range(len(self._words))]
        self._rare = self._words[100:]

    def word(self) -> str:
        """Return a word that is not one of the commonest."""
        return self._random.choice(self._rare)

    def words(self, count: int) -> list[str]:
        """Return so many words, each as often as it comes in prose."""
        return self._random.choices(self._words, self._weights, k=count)

    def title(self) -> str:
        """Return the title of a talk."""
        return " ".join(
            word.capitalize() for word in [self.word(), *self.words(self._random.randint(3, 7)), self.word()]
        )

    def name(self) -> str:
        """Return somebody's name."""
        return f"{self.word().capitalize()} {self.word().capitalize()}"

    def text(self, characters: int) -> str:
        """Return Markdown of so many characters: sentences, in paragraphs."""
        text = ""
        for sentence in self._sentences():
            text += sentence + ("\n\n" if self._random.random() < 0.2 else " ")  # noqa: PLR2004 - a paragraph of five
            if len(text) > characters:
                return text[: characters - 1].rstrip() + "."
        raise AssertionError("there is always another sentence")

    def _sentences(self) -> Iterator[str]:
        while True:
            words = self.words(self._random.randint(6, 18))
            words[0] = words[0].capitalize()
            if len(words) > 9:  # noqa: PLR2004 - a long one takes a breath
                words[len(words) // 2] += ","
            yield " ".join(words) + "."


def _vocabulary() -> list[str]:
    """Return the words, the commonest first: small words, then roughly the shorter the commoner."""
    dice = random.Random(_SIZE)
    made: dict[str, float] = {}
    while len(made) < _SIZE - len(_SMALL):
        syllables = dice.choices((1, 2, 3), (4, 5, 1))[0]
        stem = "".join(dice.choice(_ONSETS) + dice.choice(_NUCLEI) + dice.choice(_CODAS) for _ in range(syllables))
        word = stem + dice.choice(_ENDINGS)
        if len(word) <= _LONGEST:
            made.setdefault(word, len(word) + dice.random() * 6)
    return [*_SMALL, *sorted(made, key=lambda word: made[word])]
