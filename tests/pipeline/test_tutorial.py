"""The commands of docs/tutorial.md, in their order, against the deployed stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rebuy.cli.local_env import variables
from tests.pipeline.stack import Execution, Stack

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
# What the fixtures have done already, and what would start, deploy or delete: other tests do
# (test_chain.py, tests/infrastructure, tests/cli).
ELSEWHERE = re.compile(
    r"cd |make |eval |export |rebuy (start|deploy|validate|definition|data upload|local) "
)


def lines() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    given = [line for block in blocks for line in block.splitlines()]
    return [line for line in given if not ELSEWHERE.match(f"{line} ")]


def test_the_commands_of_the_tutorial_do_what_they_say(
    stack: Stack, good: Execution, tmp_path: Path
) -> None:
    assert len(lines()) > 12
    tools = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-exc", "\n".join(lines())],
        cwd=tmp_path,
        env={
            **os.environ,
            **variables(stack.home),
            "PATH": f"{tools}:{os.environ['PATH']}",
            "AWS_PAGER": "",
        },
        capture_output=True,
        text=True,
        timeout=400,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    said = done.stdout + done.stderr
    assert "refused" in said and "good: " in said  # the broken file, and the good one before
    assert "orders_are_in_range" in said or "orders_have_valid_types" in said
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert len((tmp_path / "baskets.csv").read_text().splitlines()) > 100
    assert '"will_buy": ' in said  # the API's answer
