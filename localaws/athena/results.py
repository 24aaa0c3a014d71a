"""Result files in S3, and the pages of GetQueryResults read back from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.s3.objects import split_uri
from localaws.shapes import Json


def store(aws: LocalAws, uri: str, data: bytes, content_type: str) -> None:
    bucket, key = split_uri(uri)
    aws.objects.put(bucket, key, data, content_type)


def store_metadata(aws: LocalAws, uri: str, columns: list[Json]) -> None:
    """The `.metadata` file. AWS's is binary and undocumented; ours is the same facts as JSON."""
    # GUESSED: the .metadata file is binary on AWS; which bytes, nobody tells.
    store(aws, f"{uri}.metadata", json.dumps({"columns": columns}).encode(), "application/json")


def readable(aws: LocalAws, uri: str) -> bool:
    """Whether the result is there still, and the caller may read it."""
    try:
        aws.objects.head(*split_uri(uri))
    except AwsError:
        return False
    return True


def name_columns(file: str, labels: list[str]) -> None:
    """Puts the names into the first line of a CSV file whose columns DuckDB named: it lets no name
    stand twice."""
    if len({label.lower() for label in labels}) == len(labels):
        return
    named = Path(f"{file}.named")
    quoted = (label.replace('"', '""') for label in labels)
    with Path(file).open("rb") as rows, named.open("wb") as target:
        line = rows.readline()
        while line.count(b'"') % 2:  # a name with a line feed
            line += rows.readline()
        target.write((",".join(f'"{label}"' for label in quoted) + "\n").encode())
        shutil.copyfileobj(rows, target)
    named.replace(file)


def adopt(aws: LocalAws, uri: str, file: str, content_type: str) -> None:
    bucket, key = split_uri(uri)
    aws.objects.adopt(bucket, key, Path(file), content_type)


def rows_page(
    aws: LocalAws, uri: str, start: int, count: int
) -> tuple[list[list[str | None]], int | None]:
    """Rows of a result file from the byte `start`, and where the next page starts (None: nowhere).

    In a CSV file a header line comes first, values are quoted, and NULL is nothing at all.
    Raises AwsError if the file is gone, as GetQueryResults does.
    """
    bucket, key = split_uri(uri)
    try:
        path = aws.objects.path(bucket, key)
    except AwsError as error:
        raise AwsError("InvalidRequestException", f"Could not find results: {uri}") from error
    rows: list[list[str | None]] = []
    with path.open("rb") as file:
        file.seek(start)
        while len(rows) < count:
            line = file.readline()
            if not line:
                return rows, None
            if uri.endswith(".csv"):
                while line.count(b'"') % 2:
                    more = file.readline()
                    if not more:
                        break
                    line += more
                rows.append(split_row(line.decode().removesuffix("\n")))
            else:
                rows.append([line.decode().removesuffix("\n")])
        at = file.tell()
        return rows, at if file.read(1) else None


def split_row(line: str) -> list[str | None]:
    """The values of one line of a result file."""
    cells: list[str | None] = []
    at = 0
    while True:
        if line.startswith('"', at):
            end = at + 1
            while True:
                end = line.index('"', end)
                if not line.startswith('""', end):
                    break
                end += 2
            cells.append(line[at + 1 : end].replace('""', '"'))
            at = end + 1
        else:
            end = line.find(",", at)
            end = len(line) if end < 0 else end
            cells.append(line[at:end] or None)
            at = end
        if at >= len(line):
            return cells
        at += 1
        if at == len(line):
            return [*cells, None]
