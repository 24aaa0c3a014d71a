"""Personal data told by its form: the entity types of DataBrew that a rule can know.

https://docs.aws.amazon.com/databrew/latest/dg/profile.configuration.html names the types, not how
they are found. Names, addresses and numbers that are just digits need a trained model: refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_DATE = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?|\d{1,2}[-/.]\d{1,2}[-/.]"
    r"(\d{4}|\d{2})|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2},? \d{4}"
)
_PATTERNS = {
    "DATE": rf"(?i)({_DATE})",
    "EMAIL": _EMAIL,
    "MAC_ADDRESS": r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}",
    "USA_SSN": r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}",
    "USA_ITIN": r"9\d{2}-(5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}",
    "USA_HCPCS_CODE": r"[A-CEGHJ-MP-V]\d{4}",
    "USA_NATIONAL_DRUG_CODE": r"\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2}|\d{5}-\d{4}-\d{1,2}",
    "USA_MEDICARE_BENEFICIARY_IDENTIFIER": (
        r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d"
        r"-?[AC-HJKMNP-RT-Y]{2}\d{2}"
    ),
}


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _card(text: str) -> bool:
    if not re.fullmatch(r"[2-6]\d{3}([ -]?\d{4}){3}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5}", text):
        return False
    return _luhn(re.sub(r"\D", "", text))


def _ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _phone(text: str) -> bool:
    import phonenumbers  # few jobs need it

    if not re.search(r"[+() .-]", text):  # ten digits alone may be anything
        return False
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, "US")))
    except phonenumbers.NumberParseException:
        return False


def _dea(text: str) -> bool:
    if not re.fullmatch(r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}", text):
        return False
    digits = [int(digit) for digit in text[2:]]
    return (sum(digits[:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def _npi(text: str) -> bool:
    return bool(re.fullmatch(r"[12]\d{9}", text)) and _luhn("80840" + text)


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


RULES: dict[str, Callable[[str], bool]] = {
    **{name: _matching(pattern) for name, pattern in _PATTERNS.items()},
    "CREDIT_CARD": _card,
    "IP_ADDRESS": _ip,
    "PHONE_NUMBER": _phone,
    "USA_DEA_NUMBER": _dea,
    "USA_NATIONAL_PROVIDER_IDENTIFIER": _npi,
}
OTHERS = (
    *("USA_PASSPORT_NUMBER", "USA_DRIVING_LICENSE", "BANK_ACCOUNT", "USA_CPT_CODE", "PERSON_NAME"),
    "USA_HEALTH_INSURANCE_CLAIM_NUMBER",
)


def found(text: str, types: tuple[str, ...]) -> list[str]:
    """Those of the types that the whole cell, or a word or line of words in it, is one of."""
    cell = text.strip()
    parts = {cell, *(part.strip(".,;:!?()[]<>\"'") for part in cell.split())}
    return [name for name in types if any(RULES[name](part) for part in parts if part)]


def holds(text: str, types: str) -> bool:
    """Whether the cell holds an entity of one of the types, named with commas between."""
    return bool(found(text, tuple(types.split(","))))
