"""The look at a folder: bytes first, then the rules of `sql/checks`, then figures."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from rebuy.data.contract import columns, figures
from rebuy.data.contract.advice import ADVICE
from rebuy.data.contract.quick import Quick
from rebuy.data.contract.sources import SourceFile, Sources
from rebuy.data.files import sha256_of
from tasks import check_statements
from tasks.functions import check_raw_data, increments, raw_checks
from tasks.functions.first_look import Finding, Look, look

Json = dict[str, Any]
Rows = Callable[[str], list[Json]]  # an Athena SELECT to its rows
# Something that answers Athena SQL over the files, as tables of the database RAW.
Engine = Callable[[Sources], AbstractContextManager[Rows]]

RAW = "raw"
BYTES_A_BYTE = 4  # in memory, of a file's: numbers of 4 bytes, and what is made of some at a time
READERS = 2  # files that are looked at at once
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class FileFacts:
    """What a file is, as far as a look tells."""

    name: str
    table: str
    bytes: int
    rows: int
    sha256: str
    compression: str
    encoding: str
    separator: str
    line_ends: tuple[str, ...]
    header: tuple[str, ...]


@dataclass
class Contract:
    """`findings` are what a run would refuse, `notes` what it would take and a person should see.
    `skipped` says why rows were not looked at."""

    folder: str
    files: list[FileFacts]
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)  # those of `sql/checks` that were asked
    figures: dict[str, list[list[Any]]] = field(default_factory=dict)
    skipped: str | None = None

    @property
    def good(self) -> bool:
        return not self.findings

    def to_json(self) -> Json:
        members = {**self.__dict__, "findings": [finding.to_json() for finding in self.findings]}
        return {"good": self.good, **members, "files": [file.__dict__ for file in self.files]}


def looks_at(sources: Sources) -> tuple[list[Look], dict[str, str], list[Finding]]:
    """(looks, SHA-256 by name, findings) of the files' bytes, and of the files together."""
    with ThreadPoolExecutor(READERS) as pool:
        looked = list(pool.map(_look, sources.files))
    looks = [seen for seen, _ in looked]
    sha256 = {seen.file: digest for seen, digest in looked}
    found = [finding for seen in looks for finding in seen.findings]
    return looks, sha256, [*found, *raw_checks.among(looks, sha256, table_of(sources))]


def check(sources: Sources, engine: Engine, week: str, memory_bytes: int) -> Contract:
    """Everything that can be said of the files without an account, a server or a cent. `week`: the
    `holdout_week` of a run that would take them. `memory_bytes` may be taken."""
    looks, sha256, findings = looks_at(sources)
    tables = table_of(sources)
    contract = Contract(
        str(sources.folder),
        [
            _facts(file, seen, sha256[file.name])
            for file, seen in zip(sources.files, looks, strict=True)
        ],
        [*_missing(sources), *findings],
        [f"{name} is not read: {why}" for name, why in sources.ignored],
        raw_checks.rows_of(looks, tables),
    )
    if any(not seen.readable for seen in looks) or _missing(sources):
        contract.skipped = "files that cannot be read, or are missing, come first"
        return contract
    with engine(sources) as rows:
        quick = Quick(_in_memory(sources, memory_bytes // BYTES_A_BYTE), rows)
        contract.findings += _broken(sources, quick, contract)
        contract.figures = figures.count(quick.answers, RAW, week)
    findings_, notes = figures.judge(contract.figures)
    contract.findings += findings_
    contract.notes += notes
    return contract


def table_of(sources: Sources) -> Callable[[str], str | None]:
    return {file.name: file.table for file in sources.files}.get


def _look(file: SourceFile) -> tuple[Look, str]:
    with file.path.open("rb") as content:
        return look(file.name, content, file.shape), sha256_of(file.path)


def _facts(file: SourceFile, seen: Look, sha256: str) -> FileFacts:
    return FileFacts(
        file.name, file.table, file.path.stat().st_size, seen.rows, sha256, seen.compression,
        seen.encoding, file.shape.separator, seen.line_ends, seen.header,
    )  # fmt: skip


def _missing(sources: Sources) -> list[Finding]:
    there = {file.table for file in sources.files}
    return [
        Finding(
            "raw_tables_are_as_expected", str(sources.folder), None, table,
            "it has no file of this table", f"add one with the columns {','.join(shape.columns)}",
        )
        for table, shape in raw_checks.SHAPES.items()
        if table not in there
    ]  # fmt: skip


def _in_memory(sources: Sources, most_bytes: int) -> dict[str, columns.Table]:
    """The large tables, where they need no engine."""
    found = {}
    for table in increments.GROWING:
        files = [file for file in sources.files if file.table == table]
        held = columns.read(files, most_bytes)
        if held is not None:
            found[table] = held
    return found


def _broken(sources: Sources, quick: Quick, contract: Contract) -> list[Finding]:
    """The rules of `sql/checks` that do not hold, each with its first row's place."""
    statements = check_statements.of_project()
    answers = [quick.answers(_placed(str(one["sql"]))) for one in statements]
    contract.rules = sorted({name for one in statements for name in one["checks"]})
    unlike = raw_checks.unlike_rows(
        contract.rows, check_raw_data.counted(statements, answers), "athena"
    )
    found = [
        Finding(
            violation["check"], sources.folder.name, None, json.dumps(violation["sample"]),
            "its lines are not the rows that Athena reads", "tell the makers of rebuy",
        )
        for violation in unlike
    ]  # fmt: skip
    for name in check_raw_data.broken(statements, answers):
        sample = quick.engine(_placed(check_raw_data.sample_of(name)))
        found.append(_finding(sources, name, raw_checks.violation(name, sample)))
    return found


def _finding(sources: Sources, check: str, violation: Json) -> Finding:
    table = check_raw_data.table_of(check)
    shape, row, place = raw_checks.SHAPES[table], violation["sample"][0], None
    for row in violation["sample"]:
        place = raw_checks.place_of(row, shape, _opened(sources, table))
        if place is not None:
            break
    file, _, line = (place or f"{table}, line ").rpartition(", line ")
    words = (check_raw_data.CHECKS / f"{check}.sql").read_text().partition("\n")[0]
    return Finding(
        check,
        file,
        int(line) if line else None,
        ", ".join(f"{name}={value}" for name, value in row.items())[:MOST_CHARACTERS],
        f"not so: {words.removeprefix('-- ').removesuffix('.')}",
        ADVICE[check],
        violation["violations"],
    )


def _opened(sources: Sources, table: str) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    for file in sources.files:
        if file.table == table:
            yield file.name, functools.partial(_open, file.path)


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _placed(sql: str) -> str:
    return sql.replace(check_statements.DATABASE, RAW)
