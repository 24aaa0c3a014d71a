"""DataProcessing of a batch transform: which columns the model is given, its answers beside their
rows, which columns are stored. Of CSV.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.core.jobs.job import JobFailed
from localaws.shapes import Json

# $, $[3], $[-1], $[0,2], $[1:], $[:3], $[1:4]
PATH = re.compile(r"\$(?:\[(?:(-?\d+(?:,\s*-?\d+)*)|(-?\d*):(-?\d*))\])?")


@dataclass(frozen=True)
class Joining:
    """What is done with rows and answers; without any, both pass as they are."""

    input_filter: str = "$"
    output_filter: str = "$"
    join: bool = False

    @classmethod
    def of(cls, processing: Json) -> Joining:
        return cls(
            processing.get("InputFilter", "$"),
            processing.get("OutputFilter", "$"),
            processing.get("JoinSource", "None") == "Input",
        )

    def asked(self, records: bytes) -> bytes:
        """The records that the model is given."""
        if self.input_filter == "$":
            return records
        return _lines(chosen(self.input_filter, row) for row in _rows(records))

    def answered(self, records: bytes, answer: bytes) -> bytes:
        """What is stored of an answer. JobFailed where it has not a line for every row."""
        if not self.join and self.output_filter == "$":
            return answer
        found = _rows(answer)
        if self.join:
            rows = _rows(records)
            if len(rows) != len(found):
                raise JobFailed(
                    f"ClientError: {len(found)} lines of answers cannot be joined to {len(rows)}"
                    " records."
                )
            found = [row + one for row, one in zip(rows, found, strict=True)]
        return _lines(chosen(self.output_filter, row) for row in found)


def chosen(path: str, row: list[str]) -> list[str]:
    """The columns that a JSONPath names. JobFailed for one that a row has not."""
    match = PATH.fullmatch(path)
    assert match is not None, path  # CreateTransformJob has looked
    indexes, start, end = match.groups()
    if indexes is not None:
        try:
            return [row[int(index)] for index in indexes.split(",")]
        except IndexError:
            raise JobFailed(f"ClientError: {path} names a column that {row} has not.") from None
    if start is None:
        return row
    return row[slice(int(start) if start else None, int(end) if end else None)]


def _rows(text: bytes) -> list[list[str]]:
    """Cells are kept as they are written; quotes, which could hide a comma, are refused."""
    if b'"' in text:
        raise JobFailed("ClientError: localaws does not emulate DataProcessing of quoted CSV.")
    return [line.rstrip("\r").split(",") for line in text.decode().split("\n") if line.strip("\r")]


def _lines(rows: object) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()  # type: ignore[attr-defined]
