"""Which tests of a run with several processes (`-n 2`) go together, and which begin.

A file's tests run in one process, as do those of the whole chain, which share a deployed stack.
What takes long begins: begun last, it would be waited for by a core that has nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CHAIN = "tests/pipeline"
# A minute and more (`make test` tells what took long), the longest first; all others come after.
LONG = (
    CHAIN,
    "tests/cli/test_destroy.py",
    "tests/transform/test_join_features.py",
    "tests/mapping/test_complete_journey.py",
    "tests/clients/test_clients.py",
    "tests/cli/test_commands.py",
    "tests/console/test_prepare.py",
)
_RANKS = {scope: number for number, scope in enumerate(LONG)}
assert all((Path(__file__).parents[1] / scope).exists() for scope in LONG), LONG


def scope(nodeid: str) -> str:
    """What runs in one process: the file, or the chain."""
    file = nodeid.split("::", 1)[0]
    return CHAIN if file.startswith(f"{CHAIN}/") else file


def rank(nodeid: str) -> int:
    return _RANKS.get(scope(nodeid), len(LONG))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out scopes in the order of the collected tests, whatever `--dist` says."""
    from xdist.scheduler import LoadScopeScheduling

    class InOrder(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scope(nodeid)

    config.option.loadscopereorder = False  # by the number of tests: many are quick
    return InOrder(config, log)
