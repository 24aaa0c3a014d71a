"""Every check of the product that needs no account."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infrastructure import template
from rebuy.errors import DefinitionError
from tasks import check_statements
from workflows import purchase_prediction as workflow


def validate() -> Iterator[str]:
    """A line for each thing that is right; DefinitionError for the first that is not."""
    content = workflow.definition_bytes()
    if content != workflow.GOLDEN.read_bytes():
        raise DefinitionError(
            f"The workflow is not the one in {workflow.GOLDEN.name}: look at the change with "
            "`rebuy definition --write` and `git diff`."
        )
    yield f"definition  {workflow.definition_sha256(content)}  {len(json.loads(content)['States'])}"
    statements = check_statements.of_project()
    yield f"checks      {len(statements)} statements"
    body = template.template_bytes()
    faults = lint(body)
    if faults:
        raise DefinitionError("The template does not pass cfn-lint:\n" + "\n".join(faults))
    yield f"template    {len(json.loads(body)['Resources'])} resources pass cfn-lint"


def lint(body: bytes, region: str = "us-east-1") -> list[str]:
    """cfn-lint's findings, a line each."""
    from cfnlint.api import lint_file

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_bytes(body)
        matches: list[Any] = lint_file(file, None)
    return [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in matches]
