"""Random lines are read as Trino reads them, whichever of our readers takes the file.

`python -m tests.tables.test_trino_csv` compares 200,000 lines in each way; here are fewer.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.tables.snapshot import DataFile
from localaws.tables.text_files import quickly
from tests.tables import trino_csv
from tests.tables.test_text_files import NAMES, open_csv, rows

LETTERS = 'ab1,,"\\ '
ODD = LETTERS + '""\x1c\u00a0\u2003ü€😀\t'
REGULAR = ["", "1", " a ", '"b"', '"c,d"', '"e""f"', '""', "ü", '"😀"']


def lines(count: int, seed: int, letters: str) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(chance.choices(letters, k=chance.randint(0, 12)))


def differences(folder: Path, data: bytes, escape: str) -> int:
    """Rows of the file that a table's reader gives and Trino does not."""
    how = open_csv(**({"escapeChar": escape} if escape != "\\" else {}))
    found = rows(folder, data, how)
    wanted = trino_csv.rows(data, len(NAMES), ",", '"', escape)
    assert len(found) == len(wanted)
    return sum(ours != theirs for ours, theirs in zip(found, wanted, strict=True))


def exact(folder: Path, count: int) -> int:
    """Lines of any letters, which make the exact reader take the file."""
    found = 0
    for seed, letters in enumerate((LETTERS, ODD)):
        for escape in ("\\", "\x01"):
            end = ("\n", "\r\n", "\r")[seed]
            data = end.join(lines(count // 4, seed, letters)).encode() + end.encode()
            found += differences(folder, data, escape)
    return found


def quick(folder: Path, count: int) -> int:
    """Lines of whole quoted cells, which DuckDB's reader takes."""
    chance = random.Random(3)
    text = [",".join(chance.choices(REGULAR, k=chance.randint(2, 4))) for _ in range(count)]
    data = "\n".join(text).encode()
    (folder / "x.csv").write_bytes(data)
    assert quickly(
        DataFile("s3://lake/x.csv", str(folder / "x.csv"), len(data), "", 0.0), open_csv()
    )
    return differences(folder, data, "\\")


def single(folder: Path, count: int) -> int:
    """Files of a line or two: whichever reader is taken for each."""
    texts = list(lines(2 * count, 5, LETTERS + "\r\n"))
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return sum(differences(folder, f"{a}\n{b}".encode(), "\\") for a, b in pairs)


@pytest.mark.parametrize(("way", "count"), [(exact, 4_000), (quick, 4_000), (single, 40)])
def test_lines_are_read_as_trino_reads_them(way, count: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert way(tmp_path, count) == 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for way, count in ((exact, 200_000), (quick, 200_000), (single, 2_000)):
            print(f"{way.__name__}: {way(Path(place), count)} of {count:,} differ")
