"""The GitHub Actions workflow runs what there is; only jobs that need an account get a token."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from rebuy.cli.app import app
from tools import checkov_findings

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
JOBS = WORKFLOW["jobs"]
RUNS = [(name, step["run"]) for name, job in JOBS.items() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize(("job", "line"), RUNS, ids=lambda value: str(value)[:40])
def test_a_step_runs_what_there_is(job: str, line: str) -> None:
    words = shlex.split(line)
    if words[0] == "make":
        makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
        assert f"\n{words[1]}:" in makefile
        return
    if "checkov" in line:
        told = checkov_findings.__doc__ or ""
        pin = re.search(r"checkov==\S+", line)
        assert (pin and pin[0] in told) or line.split()[2] == checkov_findings.__name__
        return
    assert words[0] == ".venv/bin/rebuy"
    command = get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_a_command_that_fails_before_a_pipe_fails_its_job() -> None:
    """GitHub runs steps without pipefail unless bash is named."""
    assert any("|" in line for _, line in RUNS)
    assert WORKFLOW["defaults"] == {"run": {"shell": "bash"}}


def test_an_account_is_asked_after_everything_is_proved_without_one() -> None:
    assert JOBS["preview"]["needs"] == JOBS["deploy"]["needs"] == ["test", "template"]


def test_a_token_of_github_is_for_who_needs_an_account_alone() -> None:
    with_token = {
        name for name, job in JOBS.items() if job.get("permissions", {}).get("id-token") == "write"
    }
    asking = {
        name
        for name, job in JOBS.items()
        if any("configure-aws-credentials" in str(step.get("uses")) for step in job["steps"])
    }
    assert with_token == asking == {"preview", "deploy"}
    assert JOBS["deploy"]["environment"] == "production"
    assert "startsWith(github.ref, 'refs/tags/v')" in JOBS["deploy"]["if"]
    assert "head.repo.full_name == github.repository" in JOBS["preview"]["if"]
