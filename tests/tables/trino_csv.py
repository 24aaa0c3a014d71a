"""Trino's CSV reader, rule by rule, to hold ours against.

After io.trino.hive.formats.line.csv.CsvDeserializer ("bug for bug compatible with OpenCSVSerde",
whose CSVParser is opencsv 2.3's) and io.trino.hive.formats.line.text.TextLineReader, of 2026. It
works on Java's characters (UTF-16), one at a time, and is written for likeness, not for speed.
"""

from __future__ import annotations

import unicodedata

NON_BREAKING = "\u00a0\u2007\u202f"


def rows(
    data: bytes, width: int, separator: str, quote: str, escape: str
) -> list[tuple[str | None, ...]]:
    """The rows of a file, each of `width` cells."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()  # nothing stands behind the last line end
    return [tuple(row(line, width, separator, quote, escape)) for line in lines]


def row(line: bytes, width: int, separator: str, quote: str, escape: str) -> list[str | None]:
    units = line.decode("utf-8", "replace").encode("utf-16-le")
    letters = [units[i : i + 2] for i in range(0, len(units), 2)]
    comma, mark, slash = (one.encode("utf-16-le") for one in (separator, quote, escape))
    values: list[list[bytes] | None] = [None] * width
    if not letters:
        return [None] * width
    buffer: list[bytes] = []
    column, position = 0, 0
    in_quotes = in_field = False

    def following() -> bytes | None:
        return letters[position + 1] if position + 1 < len(letters) else None

    while position < len(letters) and column < width:
        letter = letters[position]
        if letter == slash:
            if (in_quotes or in_field) and following() in (mark, slash):
                position += 1
                buffer.append(letters[position])
        elif letter == mark:
            if (in_quotes or in_field) and following() == mark:
                position += 1
                buffer.append(letters[position])
            else:
                if (
                    position > 2
                    and letters[position - 1] != comma
                    and following() is not None
                    and following() != comma
                ):
                    if buffer and all(map(is_whitespace, buffer)):
                        buffer.clear()
                    else:
                        buffer.append(letter)
                in_quotes = not in_quotes
            in_field = not in_field
        elif letter == comma and not in_quotes:
            values[column] = buffer
            column, buffer, in_field = column + 1, [], False
        else:
            buffer.append(letter)
            in_field = True
        position += 1
    if column < width and not in_quotes:
        values[column] = buffer
    return [
        None if value is None else b"".join(value).decode("utf-16-le", "surrogatepass")
        for value in values
    ]


def is_whitespace(unit: bytes) -> bool:
    """java.lang.Character.isWhitespace."""
    letter = unit.decode("utf-16-le", "surrogatepass")
    if letter in "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f":
        return True
    return unicodedata.category(letter) in ("Zs", "Zl", "Zp") and letter not in NON_BREAKING
