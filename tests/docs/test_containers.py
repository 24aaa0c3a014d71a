"""The Dockerfile and the dev container call what there is. Docker itself is not where this runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
DEVELOPMENT = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
CALLS = [
    *re.findall(r"\bmake [.\w][\w./]*(?: ARGS=[\w-]+)?", DOCKERFILE.partition("\nUSER ")[2]),
    DEVELOPMENT["postCreateCommand"],
]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_made_is_a_target_that_sets_up_or_runs(call: str) -> None:
    done = subprocess.run(
        [*call.split(), "--dry-run", "--always-make"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "tools/environment.sh" in done.stdout


def test_both_have_the_python_that_aws_has_and_the_container_is_no_roots() -> None:
    assert len(CALLS) == 3
    assert "FROM python:3.11-" in DOCKERFILE and DEVELOPMENT["image"].endswith("python:3.11")
    assert DOCKERFILE.index("USER rebuy") < DOCKERFILE.index("RUN make")
