"""format(): https://trino.io/docs/current/functions/conversion.html#formatting, by the rules of
https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Formatter.html"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext

from localaws.trino.errors import Fault, invalid

from .registry import python

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
# The flags that a conversion takes, and whether a precision.
_CONVERSIONS = {
    **dict.fromkeys("sSbB", ("-", True)), **dict.fromkeys("xXo", ("-0", False)),
    **dict.fromkeys("eE", ("-+ 0(", True)), "f": ("-+ 0,(", True), "d": ("-+ 0,(", False),
}  # fmt: skip
_WHOLE, _BROKEN = ("tinyint", "smallint", "integer", "bigint"), ("decimal", "double", "real")


@python("VARCHAR, VARCHAR[], VARCHAR[] -> VARCHAR")
def format_text(pattern: str, shown: list[str | None], kinds: list[str]) -> str:
    """format(): Java's Formatter for the conversions that need no locale."""
    out, place, taken = [], 0, 0
    wrong = invalid(f"Invalid format string: {pattern}")
    for found in _SPECIFIER.finditer(pattern):
        out.append(pattern[place : found.start()])
        place = found.end()
        index, flags, width, precision, letter = found.groups()
        if letter in "%n":
            if letter == "n" and len(found[0]) > 2:
                raise wrong
            out.append("\n" if letter == "n" else _padded("%", flags, int(width or 0)))
            continue
        at, taken = (int(index) - 1, taken) if index else (taken, taken + 1)
        if not 0 <= at < len(shown):
            raise invalid(f"Invalid format string: {pattern} (Format specifier '{found[0]}')")
        if letter not in _CONVERSIONS:
            raise Fault(f"NOT_SUPPORTED: localaws does not emulate format with %{letter}")
        allowed, precise = _CONVERSIONS[letter]
        unsized = width is None and ("-" in flags or "0" in flags)
        if unsized or not set(flags) <= set(allowed) or (precision and not precise):
            raise wrong
        if len(set(flags)) < len(flags) or {"-", "0"} <= set(flags) or {"+", " "} <= set(flags):
            raise wrong
        body = _converted(letter, flags, precision, shown[at], kinds[at])
        if body is None:
            raise invalid(f"Invalid format string: {pattern} ({letter} != {kinds[at]})")
        out.append(_padded(body.upper() if letter.isupper() else body, flags, int(width or 0)))
    out.append(pattern[place:])
    if any("%<" in text for text in out[::2]):
        raise Fault("NOT_SUPPORTED: localaws does not emulate format with %<")
    if "%" in _SPECIFIER.sub("", pattern):
        raise wrong
    return "".join(out)


def _converted(
    letter: str, flags: str, precision: str | None, shown: str | None, kind: str
) -> str | None:
    """The argument without its width; None where it is no value for the conversion."""
    if letter in "bB":
        body = "false" if shown is None else shown if kind == "boolean" else "true"
    elif shown is None or letter in "sS":
        body = "null" if shown is None else shown
    elif letter == "d":
        return _signed(abs(int(shown)), int(shown) < 0, flags, "") if kind in _WHOLE else None
    elif letter in "xXo":
        number = int(shown) % (1 << 64) if kind in _WHOLE else 0
        return f"{number:{letter.lower()}}" if kind in _WHOLE else None
    elif kind.startswith(_BROKEN):
        return _broken(letter, flags, int(precision or 6), shown)
    else:
        return None
    return body if precision is None else body[: int(precision)]


def _broken(letter: str, flags: str, digits: int, shown: str) -> str:
    """%f and %e, half up by the digits that toString shows."""
    if shown == "NaN":
        return shown
    if shown.endswith("Infinity"):
        return _signed("Infinity", shown[0] == "-", flags, "")
    with localcontext(prec=2000, rounding=ROUND_HALF_UP):
        number = abs(Decimal(shown))
        if letter == "f":
            cut = number.quantize(Decimal(1).scaleb(-digits))
            return _signed(cut, shown[0] == "-", flags, f".{digits}f")
        mantissa, _, power = f"{number:.{digits}e}".partition("e")
        power = f"{int(power) if number else 0:+03d}"
        return _signed(f"{mantissa}e{power}", shown[0] == "-", flags, "")


def _signed(number: int | Decimal | str, negative: bool, flags: str, form: str) -> str:
    body = format(number, ("," if "," in flags and not isinstance(number, str) else "") + form)
    if negative:
        return f"({body})" if "(" in flags else f"-{body}"
    return ("+" if "+" in flags else " " if " " in flags else "") + body


def _padded(body: str, flags: str, width: int) -> str:
    if "0" in flags and any(letter.isdigit() for letter in body):
        sign = body[: len(body) - len(body.lstrip("+-( "))]
        return sign + body[len(sign) :].rjust(width - len(sign), "0")
    return body.ljust(width) if "-" in flags else body.rjust(width)
