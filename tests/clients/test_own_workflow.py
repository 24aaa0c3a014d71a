"""`rebuy new`: what it makes runs to a green end by its own test, as docs/own-workflow.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from configuration.errors import InputError
from rebuy.cli import new


def test_a_new_pipeline_passes_its_own_test(tmp_path: Path) -> None:
    folder = tmp_path / "my-pipeline"
    names = {file.relative_to(folder).as_posix() for file in new.make(folder)}
    assert {"pipeline.py", "test_pipeline.py", "sql/daily.sql", "jobs/report.py"} <= names
    assert 'NAME = "my-pipeline"' in (folder / "pipeline.py").read_text()

    environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("name", ["Mine", "my_pipeline", "a--b", "1st", "a" * 41])
def test_a_name_that_aws_would_refuse_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot name a pipeline"):
        new.make(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is there already"):
        new.make(tmp_path.rename(tmp_path.with_name("there")))
