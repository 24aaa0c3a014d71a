"""Text functions: https://trino.io/docs/current/functions/string.html"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlsplit

from localaws.trino.errors import Fault, invalid

from .registry import python

_BLANKS = "".join(
    chr(code)
    for code in (
        *range(9, 14), *range(28, 33), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B),
        0x2028, 0x2029, 0x205F, 0x3000,
    )
)  # fmt: skip


@python("VARCHAR -> VARCHAR")
def trim(text: str) -> str:
    return text.strip(_BLANKS)


@python("VARCHAR -> VARCHAR")
def ltrim(text: str) -> str:
    return text.lstrip(_BLANKS)


@python("VARCHAR -> VARCHAR")
def rtrim(text: str) -> str:
    return text.rstrip(_BLANKS)


@python("VARCHAR -> VARCHAR", name="trino_reversed")
def in_reverse(text: str) -> str:
    return text[::-1]


@python("VARCHAR, VARCHAR -> BIGINT")
def levenshtein(left: str, right: str) -> int:
    if len(left) * len(right) > 1_000_000:
        raise invalid("The combined inputs for Levenshtein distance are too large")
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@python("VARCHAR, VARCHAR -> BIGINT")
def hamming(left: str, right: str) -> int:
    if len(left) != len(right):
        raise invalid("The input strings to hamming_distance function must have the same length")
    return sum(a != b for a, b in zip(left, right, strict=True))


@python("VARCHAR, VARCHAR -> BOOLEAN")
def escapes(pattern: str, mark: str) -> bool:
    """True for a pattern of LIKE that escapes only what may be."""
    if not mark:
        return True
    if len(mark) != 1 or mark > "\uffff":  # one of Java's characters
        raise invalid("Escape string must be a single character")
    if mark in re.sub(re.escape(mark) + f"[%_{re.escape(mark)}]", "", pattern):
        raise invalid(
            "Escape character must be followed by '%', '_' or the escape character itself"
        )
    return True


@python("VARCHAR, VARCHAR, BIGINT -> VARCHAR[]")
def split(text: str, mark: str, limit: int) -> list[str]:
    if not mark:
        raise invalid("The delimiter may not be the empty string")
    if limit <= 0:
        raise invalid("Limit must be positive")
    if limit >= 1 << 31:
        raise invalid("Limit is too large")
    return text.split(mark, limit - 1)


@python("VARCHAR, VARCHAR, BIGINT -> BIGINT")
def strpos(text: str, wanted: str, instance: int) -> int:
    if instance == 0:
        raise invalid("'instance' must not be a positive or negative number.")
    if not wanted:
        return 1
    place = -1 if instance > 0 else len(text)
    for _ in range(abs(instance)):
        if instance > 0:
            place = text.find(wanted, place + 1)
        else:
            place = text.rfind(wanted, 0, place + len(wanted) - 1) if place > 0 else -1
        if place < 0:
            return 0
    return place + 1


def _pairs(text: str, entry: str, mark: str) -> list[tuple[str, str]]:
    if not entry or not mark:
        raise invalid("entryDelimiter is empty" if not entry else "keyValueDelimiter is empty")
    if entry == mark:
        raise invalid("entryDelimiter and keyValueDelimiter must not be the same")
    found = []
    for part in text.split(entry) if text else []:
        key, sign, value = part.partition(mark)
        if not sign:
            raise invalid(
                f"Key-value delimiter must appear exactly once in each entry. Bad input: '{part}'"
            )
        found.append((key, value))
    if found and text.endswith(entry):
        found = found[:-1] if not text.split(entry)[-1] else found
    return found


def _checked(text: str, entry: str, mark: str) -> list[tuple[str, str]]:
    text = text.removesuffix(entry) if entry else text
    found = _pairs(text, entry, mark)
    for key, value in found:
        if mark in value:
            raise invalid(
                "Key-value delimiter must appear exactly once in each entry. "
                f"Bad input: '{key}{mark}{value}'"
            )
    return found


ENTRIES = "STRUCT(key VARCHAR, value VARCHAR)[]"


@python(f"VARCHAR, VARCHAR, VARCHAR -> {ENTRIES}")
def split_pairs(text: str, entry: str, mark: str) -> list[dict[str, str]]:
    found: dict[str, str] = {}
    for key, value in _checked(text, entry, mark):
        if key in found:
            raise invalid(f"Duplicate keys ({key}) are not allowed")
        found[key] = value
    return [{"key": key, "value": value} for key, value in found.items()]


@python("VARCHAR, VARCHAR, VARCHAR -> STRUCT(key VARCHAR, value VARCHAR[])[]")
def split_multi(text: str, entry: str, mark: str) -> list[dict[str, object]]:
    found: dict[str, list[str]] = {}
    for key, value in _checked(text, entry, mark):
        found.setdefault(key, []).append(value)
    return [{"key": key, "value": value} for key, value in found.items()]


@python("VARCHAR, VARCHAR -> VARCHAR")
def normalize(text: str, form: str) -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


@python("BIGINT -> VARCHAR")
def chr(code: int) -> str:
    import builtins

    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise invalid(f"Not a valid Unicode code point: {code}")
    return builtins.chr(code)


@python("VARCHAR -> INTEGER")
def codepoint(text: str) -> int:
    if len(text) != 1:
        raise invalid("Input string must be a single character string")
    return ord(text)


@python("VARCHAR -> VARCHAR")
def soundex(text: str) -> str:
    """As Apache Commons Codec's US English mapping."""
    letters = [letter for letter in text.upper() if letter.isalpha()]
    if any(letter > "Z" for letter in letters):
        bad = next(letter for letter in text if letter.isalpha() and letter.upper() > "Z")
        raise invalid(f"The character is not mapped: {bad}")
    if not letters:
        return ""
    codes = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230120022455012623010202", strict=True))
    out, before = letters[0], codes[letters[0]]
    for letter in letters[1:]:
        if letter in "HW":
            continue
        code = codes[letter]
        if code != "0" and code != before:
            out += code
        before = code
    return out[:4].ljust(4, "0")


_STEMMERS = {
    "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
}  # fmt: skip
_OTHER_STEMMERS = ("ca", "eu", "hy", "ir", "lt", "tr")


@lru_cache(maxsize=len(_STEMMERS))
def _stemmer(language: str) -> Any:
    from nltk.stem.snowball import SnowballStemmer  # slow to import, and seldom wanted

    return SnowballStemmer(language)


@python("VARCHAR, VARCHAR -> VARCHAR")
def word_stem(word: str, language: str) -> str:
    if language in _OTHER_STEMMERS:
        raise Fault(f"NOT_SUPPORTED: localaws does not emulate word_stem in {language}")
    if language not in _STEMMERS:
        raise invalid(f"Unknown stemmer language: {language}")
    if word != word.lower():  # Trino leaves capitals, which this library has none of
        raise Fault("NOT_SUPPORTED: localaws does not emulate word_stem of capital letters")
    return str(_stemmer(_STEMMERS[language]).stem(word))


@python("VARCHAR -> BOOLEAN")
def luhn_check(text: str) -> bool:
    if not text:
        return False
    if not text.isascii() or not text.isdigit():
        raise invalid("Invalid characters in input. Only digits are allowed")
    digits = [int(letter) for letter in reversed(text)]
    doubled = [sum(divmod(2 * d, 10)) if i % 2 else d for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0


# URLs: https://trino.io/docs/current/functions/url.html


@python("VARCHAR -> VARCHAR")
def url_encode(text: str) -> str:
    return quote_plus(text, safe="*-._").replace("~", "%7E")


@python("VARCHAR -> VARCHAR")
def url_decode(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise invalid(f"Illegal hex characters in escape (%) pattern: {text}")
    return unquote_plus(text)


@python("VARCHAR, VARCHAR -> VARCHAR")
def url_part(url: str, part: str) -> str | None:
    """NULL for what is no URL or lacks the part, as java.net.URI sees it."""
    if re.search(r'[\s<>"{}|\\^`]', url) or re.search(r"%(?![0-9A-Fa-f]{2})", url):
        return None
    try:
        found = urlsplit(url, allow_fragments=True)
        port = found.port
    except ValueError:
        return None
    if part == "port":
        return None if port is None else str(port)
    host = re.match(r"(?:[^@]*@)?(\[.*\]|[^:]*)", found.netloc)
    pieces = {"protocol": found.scheme or "", "host": host[1] if host else "",
              "path": found.path, "query": found.query, "fragment": found.fragment}  # fmt: skip
    return unquote_plus(pieces[part].replace("+", "%2B"))


@python("VARCHAR, VARCHAR -> VARCHAR")
def url_parameter(url: str, name: str) -> str | None:
    try:
        query = urlsplit(url).query
    except ValueError:
        return None
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key == name:
            return value
    return None
