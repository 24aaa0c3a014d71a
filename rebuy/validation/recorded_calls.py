"""What whole runs asked of the product's policies, recorded here: for each role each action
once for every kind of resource (docs/iam.md says how a recording is made)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from localaws.identity.uses import Use

FILE = Path(__file__).with_suffix(".json")


def read(role_arn: Callable[[str], str]) -> dict[str, list[Use]]:
    """Logical name of a role to what was asked for it."""
    found: dict[str, list[Use]] = {}
    for name, action, resource, keys in json.loads(FILE.read_text()):
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in keys.items()}
        use = Use(role_arn(name), action, resource, tuple(sorted(values.items())))
        found.setdefault(name, []).append(use)
    return found
