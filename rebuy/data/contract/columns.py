"""A table's files as columns of numbers and of a few words, where they hold nothing else.

Most bytes of a shop are such columns. Where every line has as many cells as the header, without a
quote, a cell is what stands between two separators, for everybody; so these columns are what Athena
reads. Of anything else there is no table here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rebuy.data.contract.sources import SourceFile
from tasks.functions.raw_text import ESCAPE, Block, blocks, unpacked

Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
WORD = 8  # bytes of a machine's word
LONGEST = 2 * WORD  # letters of a cell
MOST_WORDS = 200  # different ones, of a column that holds words
LARGEST_INT = 2**31 - 1
_ODD = (b'"', b"\x00", ESCAPE.encode())
_TENS = 10 ** np.arange(LONGEST, dtype=np.int64)


@dataclass
class Numbers:
    """Cells of 1 to 16 digits. `plain`: none of them begins with a zero that it could do without,
    so that different cells are different numbers."""

    values: Places | npt.NDArray[np.int32]
    longest: int
    plain: bool


@dataclass
class Texts:
    """Cells of up to 8 printable letters, few of them different: cell i is words[codes[i]]."""

    codes: npt.NDArray[np.uint8]
    words: tuple[str, ...]


@dataclass
class Table:
    rows: int
    columns: dict[str, Numbers | Texts]


@dataclass
class _Growing:
    """One column, block by block."""

    numbers: bool | None = None  # as the first block has it
    parts: list[Any] = field(default_factory=list)
    longest: int = 0
    plain: bool = True
    known: Words = field(default_factory=lambda: np.empty(0, np.uint64))

    def take(self, cells: _Cells) -> bool:
        """Whether it is still a column of one kind."""
        numbers = None if self.numbers is False else cells.numbers()
        if numbers is not None:
            self.numbers = True
            self.longest = max(self.longest, int(cells.lengths.max()))
            self.plain &= not ((numbers < _TENS[cells.lengths - 1]) & (cells.lengths > 1)).any()
            small = numbers.max() <= LARGEST_INT
            self.parts.append(numbers.astype(np.int32) if small else numbers)
            return True
        words = None if self.numbers else cells.words()
        if words is None:
            return False
        self.numbers = False
        codes = self._codes(words)
        if codes is None:
            new = np.setdiff1d(words, self.known)
            self.known = np.concatenate((self.known, new))  # in the order of their coming
            if len(self.known) > MOST_WORDS:
                return False
            codes = self._codes(words)
        self.parts.append(codes)
        return True

    def _codes(self, words: Words) -> npt.NDArray[np.uint8] | None:
        if not len(self.known):
            return None
        order = np.argsort(self.known)
        at = np.minimum(np.searchsorted(self.known, words, sorter=order), len(order) - 1)
        codes = order[at]
        return codes.astype(np.uint8) if (self.known[codes] == words).all() else None

    def column(self) -> Numbers | Texts | None:
        held = np.concatenate(self.parts)
        self.parts.clear()
        if self.numbers:
            return Numbers(held, self.longest, self.plain)
        words = [int(word).to_bytes(WORD, "little").rstrip(b"\x00") for word in self.known]
        if not all(32 <= letter < 127 for word in words for letter in word):
            return None
        return Texts(held, tuple(word.decode() for word in words))


@dataclass
class _Cells:
    """The cells of one column in one block: `letters[end - length : end]` of each."""

    loaded: Words  # the word that begins at each byte
    ends: Places
    lengths: Places

    def words(self) -> Words | None:
        """Each cell's letters, the first one in the lowest byte; None if one is too long."""
        if self.lengths.max(initial=0) > WORD:
            return None
        shift = (WORD * (WORD - self.lengths)).astype(np.uint64)
        return self.loaded[self.ends - WORD] >> shift

    def numbers(self) -> Places | None:
        """The cells' numbers; None if one has no digit, another letter, or too many."""
        longest = self.lengths.max(initial=0)
        if not self.lengths.min(initial=1) or longest > LONGEST:
            return None
        low = self._eight(self.ends, np.minimum(self.lengths, WORD))
        if low is None or longest <= WORD:
            return low
        high = self._eight(self.ends - WORD, np.maximum(self.lengths - WORD, 0))
        return None if high is None else low + high * 10**WORD

    def _eight(self, ends: Places, lengths: Places) -> Places | None:
        """Up to eight digits before each end, all at once in a word."""
        shift = (WORD * (WORD - lengths)).astype(np.uint64)
        digits = self.loaded[ends - WORD] >> shift
        digits -= np.uint64(0x3030303030303030) >> shift
        # A byte above 9, or below "0", sets the highest bit of one of the two.
        if (
            (digits | (digits + np.uint64(0x7676767676767676))) & np.uint64(0x8080808080808080)
        ).any():
            return None
        digits <<= shift
        for mask, factor, by in (
            (0x0F0F0F0F0F0F0F0F, 10 << 8 | 1, 8),
            (0x00FF00FF00FF00FF, 100 << 16 | 1, 16),
            (0x0000FFFF0000FFFF, 10_000 << 32 | 1, 32),
        ):
            digits &= np.uint64(mask)
            digits *= np.uint64(factor)
            digits >>= np.uint64(by)
        return digits.astype(np.int64)


def read(files: Sequence[SourceFile], most_bytes: int) -> Table | None:
    """The table of these files, which all have its header; None if they hold anything but columns
    of numbers and of few words, or more bytes. A line's end, and how a file is packed, are as
    `look` has them."""
    shape = files[0].shape
    growing = {name: _Growing() for name in shape.columns}
    rows = read_bytes = 0
    for block in _blocks(files):
        data = block.data.partition(b"\n")[2] if block.first_line == 1 else block.data
        read_bytes += len(data)
        if not data:
            continue
        cells = _cut(data, shape.separator, len(growing))
        if cells is None or read_bytes > most_bytes:
            return None
        for column, mine in zip(growing.values(), cells, strict=True):
            if not column.take(mine):
                return None
        rows += len(cells[0].ends)
    if not rows:
        return None
    columns = {name: column.column() for name, column in growing.items()}
    found = {name: column for name, column in columns.items() if column is not None}
    return Table(rows, found) if len(found) == len(columns) else None


def _blocks(files: Iterable[SourceFile]) -> Iterator[Block]:
    for file in files:
        with file.path.open("rb") as raw:
            yield from blocks(unpacked(file.name, raw))


def _cut(data: bytes, separator: str, width: int) -> list[_Cells] | None:
    """The cells of whole lines; None where a line has more or fewer, or a letter that is odd."""
    if any(odd in data for odd in _ODD):
        return None
    ended = b"" if data.endswith(b"\n") else b"\n"
    letters = np.frombuffer(b"0" * LONGEST + data + ended, np.uint8)  # a word before every cell
    marks = np.flatnonzero((letters == ord(separator)) | (letters == 10))
    if len(marks) % width:
        return None
    ends = marks.reshape(-1, width)
    breaks = letters[ends] == 10
    if breaks[:, :-1].any() or not breaks[:, -1].all():
        return None
    lengths = (np.diff(marks, prepend=LONGEST - 1) - 1).reshape(-1, width)
    loaded = np.ndarray((len(letters) - WORD + 1,), "<u8", letters, strides=(1,))
    return [
        _Cells(loaded, np.ascontiguousarray(ends[:, at]), np.ascontiguousarray(lengths[:, at]))
        for at in range(width)
    ]
