"""`rebuy definition --format`: the pictures, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from configuration.errors import InputError
from rebuy.cli.app import app

OTHER = {"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}}
BEGINNINGS = {"svg": "<svg ", "mermaid": "flowchart TD", "dot": "digraph "}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_ours_and_any_other_definition_are_drawn(form: str, tmp_path: Path) -> None:
    other = tmp_path / "other.asl.json"
    other.write_text(json.dumps(OTHER))
    for file, state in (([], "Write audit record"), (["--file", str(other)], "Only")):
        done = CliRunner().invoke(app, ["definition", "--format", form, *file])

        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(BEGINNINGS[form])
        assert state in done.stdout
        if form == "svg":
            ElementTree.fromstring(done.stdout)


def test_file_that_is_no_definition_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")

    done = CliRunner().invoke(
        app, ["definition", "--format", "svg", "--file", str(tmp_path / "list.json")]
    )

    assert isinstance(done.exception, InputError)
    assert "no States" in str(done.exception)


def test_only_our_own_definition_is_written() -> None:
    done = CliRunner().invoke(app, ["definition", "--write", "--file", "x.json"])

    assert done.exit_code == 2
