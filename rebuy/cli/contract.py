"""`rebuy data check`: the contract's rules, asked of the local AWS's Athena in this process."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from localaws.athena import offline
from localaws.core.jobs.limits import Limits, default
from localaws.tables.storage import Storage
from rebuy.data.contract import page, sources, text
from rebuy.data.contract.checking import RAW, Rows, check
from tasks.functions.raw_text import ESCAPE
from tasks.functions.run_plan import week_of


def run(folder: Path, html: Path | None, *, as_json: bool) -> bool:
    """Prints what there is to say; whether the files are good. Raises InputError."""
    week = week_of(datetime.now(UTC).isoformat())
    contract = check(sources.of_folder(folder), engine, week, default().memory_bytes)
    if html is not None:
        html.write_text(page.page(contract, f"{datetime.now():%Y-%m-%d %H:%M}"), encoding="utf-8")
    if as_json:
        print(json.dumps(contract.to_json(), default=str))
    else:
        for line in text.lines(contract):
            print(line)
        if html is not None:
            print(f"page: {html}")
    return contract.good


@contextlib.contextmanager
def engine(given: sources.Sources) -> Iterator[Rows]:
    """Athena's SQL over the files, read by the SerDe and the properties that raw tables have."""
    tables = []
    for table in sorted({file.table for file in given.files}):
        files = [file for file in given.files if file.table == table]
        shape = files[0].shape
        how = Storage("open_csv", 1, shape.separator, '"', ESCAPE)
        paths = [file.path for file in files]
        tables.append(offline.text_table(RAW, table, shape.columns, how, paths))
    limits = Limits(default().memory_bytes, os.cpu_count() or 1)  # nobody else is at work here
    with (
        tempfile.TemporaryDirectory(prefix="rebuy-check-") as folder,
        offline.opened(tables, Path(folder), limits) as opened,
    ):
        yield opened.rows
