"""`rebuy data map`: a mapping that is proposed, or the SQL that one becomes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from configuration.errors import InputError
from configuration.mapping import Mapping, propose, sql
from configuration.mapping.checks import checks
from configuration.mapping.sources import matching
from rebuy.cli.console import say
from rebuy.data.sources import wrong


def run(folder: Path | None, out: Path | None, as_sql: bool, mapping: Mapping | None) -> None:
    """With a folder: proposes, on standard output or to `out`, and says why on standard error.
    Without one: the SQL of the mapping. Raises InputError."""
    if folder is not None:
        proposal = propose.propose(folder)
        for line in proposal.reasons:
            say(line)
        mapping = proposal.mapping()
        if out is not None:
            if out.exists():
                raise InputError(f"{out} is there already; a mapping is not written over.")
            out.write_text(proposal.toml, encoding="utf-8")
            say(f"written to {out}")
        elif not as_sql:
            sys.stdout.write(proposal.toml)
    if not as_sql:
        if folder is None:
            raise InputError("Give a folder, or --sql with --mapping FILE (or [source]).")
        return
    if mapping is None:
        say("Instacart's files are the five tables as they are: no statement.")
        return
    for statement in sql.statements(mapping):
        print(f"-- {statement.name}\n{statement.sql.rstrip()};\n")
    for name, text in checks(mapping).items():
        print(f"-- Check {name}\n{text.rstrip()};\n")


def check(mapping: Mapping, folder: Path, *, as_json: bool) -> bool:
    """Prints what `Plan mapping` would refuse of the folder's files; whether there is nothing.
    The rules of whole tables (sql/checks) are for the run. Raises InputError."""
    files = matching(mapping, folder)
    found = {file.path.name: wrong(mapping, file) for file in files}
    good = not any(found.values())
    if as_json:
        print(json.dumps({"good": good, "mapping_sha256": mapping.sha256, "files": found}))
        return good
    for file in files:
        print(f"{file.path.name} ({file.kind}): {'good' if not found[file.path.name] else ''}")
        for finding in found[file.path.name]:
            print(f"  {finding}")
    return good
