"""What SQL cannot say: functions of Python that the steps' SQL calls, cell by cell.

They are given to a connection before a recipe runs on it. Keys of cryptographic steps are known
here only, so that they stand in no SQL text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from localaws.databrew.recipe import entities
from localaws.databrew.recipe.words import tokens

VERSION = b"\x01"
NONCE = bytes(12)  # DataBrew stores none: the same text gives the same cell
MAXIMUM_CELL_BYTES = 400 * 1024


@dataclass(frozen=True)
class Secret:
    """A secret of Secrets Manager; its value is base64 text, and the key what that stands for."""

    arn: str
    version: str
    key: bytes


def register(connection: duckdb.DuckDBPyConnection, secrets: Mapping[str, Secret]) -> None:
    """Makes the functions known to SQL. `secrets` by the names that steps call them."""

    def keyed_hash(text: str, secret: str, algorithm: str) -> str:
        digest = hmac.digest(secrets[secret].key, text.encode(), algorithm)
        return base64.b64encode(digest).decode()

    def seal(text: str, secret: str) -> str:
        return sealed(text, secrets[secret])

    def unseal(text: str, secret: str) -> str:
        return unsealed(text, secrets[secret])

    functions: dict[str, Callable[..., Any]] = {
        "databrew_hmac": keyed_hash,
        "databrew_seal": seal,
        "databrew_unseal": unseal,
        "databrew_hash": plain_hash,
        "databrew_phone": phone,
        "databrew_phone_detail": phone_detail,
        "databrew_url_params": url_params,
        "databrew_mask": mask,
        "databrew_mask_between": mask_between,
        "databrew_mask_date": mask_date,
        "databrew_holds": entities.holds,
    }
    for name, function in functions.items():
        connection.create_function(name, function)
    connection.create_function(
        "databrew_tokens",
        tokens,
        [duckdb.sqltype("VARCHAR")] * 5,
        duckdb.sqltype("VARCHAR[]"),
    )


def plain_hash(text: str, algorithm: str) -> str:
    return base64.b64encode(hashlib.new(algorithm, text.encode()).digest()).decode()


def sealed(text: str, secret: Secret) -> str:
    """The cell that DETERMINISTIC_ENCRYPT writes: version, the secret's ARN and version with their
    lengths, AES-GCM-SIV of the text (recorded; the nonce is inferred)."""
    if len(text.encode()) > MAXIMUM_CELL_BYTES:
        raise ValueError("A cell is longer than 400 KB, the most that DETERMINISTIC_ENCRYPT takes.")
    parts = [VERSION]
    for name in (secret.arn, secret.version):
        parts += [len(name.encode()).to_bytes(2, "big"), name.encode()]
    parts.append(AESGCMSIV(secret.key).encrypt(NONCE, text.encode(), None))
    return base64.b64encode(b"".join(parts)).decode()


def unsealed(text: str, secret: Secret) -> str:
    """The text of a sealed cell; a cell of another secret or version, or of none, as it is."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return text
    names, rest = [], data[1:]
    for _ in range(2):
        length = int.from_bytes(rest[:2], "big")
        names.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    if data[:1] != VERSION or names != [secret.arn.encode(), secret.version.encode()]:
        return text
    try:
        return AESGCMSIV(secret.key).decrypt(NONCE, rest, None).decode()
    except (InvalidTag, UnicodeDecodeError):
        return text


def phone(text: str, region: str) -> str:
    """The number in E.164; what is no number, or has neither + nor region, as it is."""
    import phonenumbers  # few recipes need it

    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def phone_detail(text: str, detail: str) -> str:
    """The AREA_CODE, COUNTRY_CODE or TIME_ZONE of a number, of the USA where it has no +; "" for
    what is no number (a function that DuckDB calls gives no None)."""
    import phonenumbers
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    if detail == "COUNTRY_CODE":
        return str(number.country_code)
    if detail == "TIME_ZONE":
        return str(timezone.time_zones_for_number(number)[0])
    length = phonenumbers.length_of_geographical_area_code(number)
    return str(phonenumbers.national_significant_number(number))[:length]


def url_params(text: str) -> str:
    """The query of a URL as JSON: each name with the list of its values."""
    return json.dumps(parse_qs(urlsplit(text).query, keep_blank_values=True))


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _hidden(text: str, symbol: str, shown: str) -> str:
    """A symbol for each character but those of the classes in `shown`."""
    return "".join(
        letter
        if (letter.isspace() and "WHITESPACE" in shown)
        or (not letter.isalnum() and not letter.isspace() and "SYMBOLS" in shown)
        else symbol
        for letter in text
    )


def mask(text: str, pattern: str, symbol: str) -> str:
    """Each match of the pattern masked, a symbol for a character."""
    return _pattern(pattern).sub(lambda found: symbol * len(found[0]), text)


def mask_between(text: str, start: str, end: str, symbol: str, shown: str, preserve: bool) -> str:
    """Masked between the first `start` and the next `end`; "" is the beginning and the end."""
    begins = text.find(start)
    ends = text.find(end, begins + len(start)) if end else len(text)
    if begins < 0 or ends < 0:
        return text
    if preserve:
        begins += len(start)
    else:
        ends += len(end)
    return text[:begins] + _hidden(text[begins:ends], symbol, shown) + text[ends:]


def mask_date(text: str, redact: str, symbol: str) -> str:
    """`year-month-day` with parts masked, its separators as `/`, as recorded: where the last number
    may be a month, it is read as `year-day-month`. "" for what is no such date."""
    found = _pattern(r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})\s*").fullmatch(text)
    if found is None:
        return ""
    parts = ("YEAR", "DAY", "MONTH") if int(found[3]) <= 12 else ("YEAR", "MONTH", "DAY")
    widths = (4, 2, 2)
    return "/".join(
        symbol * width if part in redact else value.zfill(width)
        for part, value, width in zip(parts, found.groups(), widths, strict=True)
    )
