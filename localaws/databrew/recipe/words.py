"""Texts cut into words: contractions, stop words, stems."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable

# The whole words first; then endings, as English has them. DataBrew's own lists are not published.
_WHOLE = {"won't": "will not", "can't": "can not", "shan't": "shall not", "let's": "let us"}
_ENDINGS = {
    "n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am", "'d": " would",
    "'s": " is",
}  # fmt: skip


def tokens(
    text: str, delimiter: str, contractions: str, stemming: str, stop_words: str
) -> list[str]:
    """The words of a text: contractions written out (ENABLED), `stop_words` (DEFAULT, a JSON list,
    or "") left out, stems by PORTER or LANCASTER ("" for the words themselves)."""
    if contractions:
        text = re.sub(r"\S+", lambda word: _expanded(word[0]), text)
    dropped = _stop_words(stop_words)
    words = [word for word in text.split(delimiter) if word]
    stem = _stemmer(stemming)
    return [stem(word) for word in words if word.lower() not in dropped]


def _expanded(word: str) -> str:
    whole = _WHOLE.get(word.lower())
    if whole is not None:
        return whole
    for ending, written in _ENDINGS.items():
        if word.lower().endswith(ending) and len(word) > len(ending):
            return word[: -len(ending)] + written
    return word


@functools.cache
def _stop_words(named: str) -> frozenset[str]:
    if named == "DEFAULT":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return frozenset(ENGLISH_STOP_WORDS)
    return frozenset(str(word).lower() for word in json.loads(named)) if named else frozenset()


@functools.cache
def _stemmer(mode: str) -> Callable[[str], str]:
    if not mode:
        return lambda word: word
    from nltk.stem import LancasterStemmer, PorterStemmer  # slow to import, and seldom wanted

    stemmer = PorterStemmer() if mode == "PORTER" else LancasterStemmer()
    return lambda word: str(stemmer.stem(word))
