"""A contract in a terminal's lines."""

from __future__ import annotations

from collections.abc import Iterator

from rebuy.data.contract.checking import Contract
from tasks.functions.first_look import SEPARATORS


def lines(contract: Contract) -> Iterator[str]:
    width = max(len(file.name) for file in contract.files)
    for file in contract.files:
        ends = "+".join(file.line_ends) or "no line end"
        packed = "" if file.compression == "none" else f", {file.compression}"
        yield (
            f"{file.name:<{width}} {file.rows:>12,} rows  {file.bytes:>14,} bytes  {file.encoding},"
            f" {SEPARATORS.get(file.separator, file.separator)}, {ends}{packed}"
        )
    for note in contract.notes:
        yield f"note: {note}"
    for finding in contract.findings:
        yield f"{finding.rule}: {finding.said()}"
    if contract.skipped:
        yield f"the rows were not looked at: {contract.skipped}"
    if contract.good:
        yield f"good: {len(contract.rules)} rules of sql/checks hold, and every line is read alike"
    else:
        yield f"{len(contract.findings)} finding(s): a run would refuse these files"
