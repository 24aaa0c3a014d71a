"""Numbers, bits and bytes: https://trino.io/docs/current/functions/{math,bitwise,binary}.html"""

from __future__ import annotations

import base64
import codecs
import hashlib
import hmac
import math
import re
import struct
import zlib
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from itertools import takewhile
from statistics import NormalDist

from localaws.trino.errors import Fault, invalid
from localaws.trino.numbers import double_text

from .registry import python

_SIZES = {"B": 0, **{f"{letter}B": power for power, letter in enumerate("kMGTPEZY", 1)}}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@python("BLOB -> BIGINT")
def crc32(data: bytes) -> int:
    return zlib.crc32(data)


@python("VARCHAR, INTEGER, VARCHAR, INTEGER -> VARCHAR")
def decimal_divide_wide(above: str, above_power: int, below: str, below_power: int) -> str:
    """Half up, of numbers that the engine has no room for: a product of 38 digits and a power."""
    a, b = _two(above, above_power, below, below_power)
    quotient = (2 * abs(a) + abs(b)) // (2 * abs(b))
    if quotient >= 10**38:
        raise Fault("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    return str(quotient if (a < 0) == (b < 0) else -quotient)


@python("VARCHAR, INTEGER, VARCHAR, INTEGER -> VARCHAR")
def decimal_modulus_wide(above: str, above_power: int, below: str, below_power: int) -> str:
    """With the sign of the dividend."""
    a, b = _two(above, above_power, below, below_power)
    rest = abs(a) % abs(b)
    return str(-rest if a < 0 else rest)


def _two(above: str, above_power: int, below: str, below_power: int) -> tuple[int, int]:
    divisor = int(below) * 10**below_power
    if divisor == 0:
        raise Fault("DIVISION_BY_ZERO: Division by zero")
    return int(above) * 10**above_power, divisor


@python("BIGINT, BIGINT -> VARCHAR")
def to_base(number: int, radix: int) -> str:
    _radix(radix)
    left, out = abs(number), ""
    while left:
        left, digit = divmod(left, radix)
        out = _DIGITS[digit] + out
    return ("-" if number < 0 else "") + (out or "0")


@python("VARCHAR, BIGINT -> BIGINT")
def from_base(text: str, radix: int) -> int:
    _radix(radix)
    wrong = invalid(f"Not a valid base-{radix} number: {text}")
    if not text or any(c.isspace() or c == "_" for c in text):
        raise wrong
    try:
        number = int(text, radix)
    except ValueError:
        raise wrong from None
    if not -(1 << 63) <= number < 1 << 63:
        raise wrong
    return number


@python("VARCHAR -> VARCHAR")
def data_size(text: str) -> str:
    """Bytes, without the fraction of one: https://trino.io/docs/current/functions/conversion.html"""
    digits = "".join(takewhile(_is_of_a_number, text))
    power = _SIZES.get(text.removeprefix(digits))
    if power is None or not digits.strip(".") or digits.count(".") > 1:
        raise invalid(f"Invalid data size: '{text}'")
    with localcontext(prec=len(text) + 32):  # exact: the largest factor has 25 digits
        size = (Decimal(digits) * 1024**power).to_integral_value(ROUND_DOWN)
    if size >= 10**38:
        raise Fault(f"NUMERIC_VALUE_OUT_OF_RANGE: Value out of range: '{text}' ('{size:f}B')")
    return f"{size:f}"


def _is_of_a_number(letter: str) -> bool:
    """As Java's isDigit has it: of any script, in one UTF-16 unit."""
    return letter == "." or (letter.isdecimal() and letter <= "\uffff")


def _radix(radix: int) -> None:
    if not 2 <= radix <= 36:
        raise invalid("Radix must be between 2 and 36")


@python("BIGINT, BIGINT -> BIGINT")
def bit_count(number: int, bits: int) -> int:
    if not 1 < bits <= 64:
        raise invalid(f"Bits specified in bit_count must be between 2 and 64, got {bits}")
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise invalid(
            f"Number must be representable with the bits specified. {number} cannot be represented "
            f"with {bits} bits"
        )
    return (number & ((1 << bits) - 1)).bit_count()


@python("BIGINT, BIGINT, BIGINT -> BIGINT")
def shift_left(number: int, count: int, bits: int) -> int:
    _count(count)
    return _signed(number << count, bits) if count < bits else 0


@python("BIGINT, BIGINT, BIGINT -> BIGINT")
def shift_right(number: int, count: int, bits: int) -> int:
    _count(count)
    return _signed((number & ((1 << bits) - 1)) >> count, bits) if count < bits else 0


@python("BIGINT, BIGINT -> BIGINT")
def shift_arithmetic(number: int, count: int) -> int:
    _count(count)
    return number >> min(count, 63)


def _count(count: int) -> None:
    if count < 0:
        raise invalid("Specified shift must be positive")


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


@python("DOUBLE -> DOUBLE")
def cbrt(number: float) -> float:
    """The nearest double, as Java's; the C library's is off by a digit, of 27 too."""
    root = Decimal(math.cbrt(number))
    with localcontext(prec=40):
        for _ in range(2 if root else 0):
            root -= (root**3 - Decimal(number)) / (3 * root**2)
    return float(root)


@python("DOUBLE, DOUBLE, DOUBLE -> DOUBLE")
def normal_cdf(mean: float, deviation: float, value: float) -> float:
    if deviation <= 0:
        raise invalid("standardDeviation must be > 0")
    return NormalDist(mean, deviation).cdf(value)


@python("DOUBLE, DOUBLE, DOUBLE -> DOUBLE")
def inverse_normal_cdf(mean: float, deviation: float, chance: float) -> float:
    if not 0 < chance < 1:
        raise invalid("p must be 0 > p > 1")
    if deviation <= 0:
        raise invalid("sd must be > 0")
    return NormalDist(mean, deviation).inv_cdf(chance)


@python("BIGINT, BIGINT, DOUBLE, BOOLEAN -> DOUBLE")
def wilson(successes: int, trials: int, z: float, upper: bool) -> float:
    if successes < 0:
        raise invalid("number of successes must not be negative")
    if trials <= 0:
        raise invalid("number of trials must be positive")
    if successes > trials:
        raise invalid("number of successes must not be larger than number of trials")
    if z < 0:
        raise invalid("z-score must not be negative")
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    bound = (middle + spread if upper else middle - spread) / (1 + z * z / trials)
    return min(1.0, bound) if upper else max(0.0, bound)


_UNITS = ("", "K", "M", "B", "T", "Q")


@python("DOUBLE -> VARCHAR")
def format_number(number: float) -> str:
    size, unit = abs(number), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    places = 0 if size >= 99.5 else 1 if size >= 9.995 else 2
    shown = f"{Decimal(repr(size)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{'-' if number < 0 else ''}{shown}{_UNITS[unit]}"


# bytes


@python("VARCHAR -> BLOB")
def from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text) if " " not in text else bytes.fromhex("?")
    except ValueError:
        raise invalid("invalid hex string") from None


# No text can have it, so it stands for broken bytes alone.
_MARK, _BROKEN = "\udfff", "localaws.broken_utf8"
codecs.register_error(_BROKEN, lambda error: (_MARK, error.end))  # type: ignore[attr-defined]


@python("BLOB, VARCHAR -> VARCHAR")
def utf8(data: bytes, instead: str) -> str:
    if len(instead) > 1:
        raise invalid("Replacement character string must empty or a single character")
    return data.decode("utf-8", _BROKEN).replace(_MARK, instead)


@python("BLOB -> VARCHAR")
def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


@python("VARCHAR -> BLOB")
def from_base64url(text: str) -> bytes:
    if re.search(r"[^A-Za-z0-9_=-]", text) or len(text.rstrip("=")) % 4 == 1:
        raise invalid("Input is no base64")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


@python("BLOB -> VARCHAR")
def to_base32(data: bytes) -> str:
    return base64.b32encode(data).decode()


@python("VARCHAR -> BLOB")
def from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise invalid("Invalid base32 string") from None


@python("BLOB, VARCHAR -> BLOB")
def digest(data: bytes, algorithm: str) -> bytes:
    return hashlib.new(algorithm, data).digest()


@python("BLOB, BLOB, VARCHAR -> BLOB")
def hmac_digest(data: bytes, key: bytes, algorithm: str) -> bytes:
    return hmac.new(key, data, algorithm).digest()


def _packing(name: str, form: str, kind: str) -> None:
    size = struct.calcsize(form)

    def pack(number: float) -> bytes:
        return struct.pack(form, number)

    def unpack(data: bytes) -> str:
        """As text: DuckDB takes a NaN of Python for NULL."""
        if len(data) != size:
            raise invalid(f"Input must be {size} bytes, but got {len(data)}")
        return str(struct.unpack(form, data)[0])

    python(f"{kind} -> BLOB", name=f"trino_to_{name}")(pack)
    python("BLOB -> VARCHAR", name=f"trino_from_{name}")(unpack)


_packing("big_endian_64", ">q", "BIGINT")
_packing("big_endian_32", ">i", "INTEGER")
_packing("ieee754_64", ">d", "DOUBLE")
_packing("ieee754_32", ">f", "REAL")


@python("DOUBLE -> VARCHAR", name="trino_double_text")
def _double_text(number: float) -> str:
    return double_text(number)


@python("BIGINT, BIGINT -> BIGINT[][]")
def places(size: int, count: int) -> list[list[int]]:
    """The places (from 1) of every combination, as Trino orders them: by the last, then before."""
    if math.comb(size, count) > 100_000:
        raise invalid("combinations exceed max size")
    from itertools import combinations

    return sorted((list(c) for c in combinations(range(1, size + 1), count)), key=lambda c: c[::-1])
