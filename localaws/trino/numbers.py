"""Numbers as Java writes them."""

from __future__ import annotations

import struct
from decimal import Decimal


def double_text(number: float) -> str:
    """As Java's Double.toString."""
    if number != number:
        return "NaN"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = repr(number)
        if "e" not in text:
            return text
        text = f"{Decimal(text):f}"
        return text if "." in text else text + ".0"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    digits = Decimal(repr(number)).as_tuple()
    written = "".join(map(str, digits.digits)).rstrip("0") or "0"
    power = len(digits.digits) + int(digits.exponent) - 1
    return f"{'-' if digits.sign else ''}{written[0]}.{written[1:] or '0'}E{power}"


def real_text(number: float) -> str:
    """As Java's Float.toString: the fewest digits that no other float of 32 bits has."""
    try:
        held = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return "Infinity" if number > 0 else "-Infinity"
    if held != held or held in (float("inf"), float("-inf")):
        return double_text(held)
    for digits in range(1, 10):
        shortest = float(f"{held:.{digits}g}")
        if struct.unpack("f", struct.pack("f", shortest))[0] == held:
            break
    return double_text(shortest)
