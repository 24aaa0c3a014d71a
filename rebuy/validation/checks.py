"""All checks, in the order in which they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rebuy.validation import (
    definition,
    mapped,
    permissions,
    requests,
    scripts,
    stack,
    statements,
    template,
)
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal
from workflows import purchase_prediction as workflow

Rule = Callable[[Product, Rehearsal], Iterable[Finding]]
# Name to the check over a rehearsed run.
RULES: dict[str, Rule] = {
    "definition": definition.check,
    "data flow": lambda product, rehearsal: rehearsal.findings,
    "requests": requests.check,
    "SQL and recipes": statements.check,
    "mapping": mapped.check,
    "scripts": scripts.check,
    "permissions": permissions.check,
}


@dataclass(frozen=True)
class Checked:
    """One check: what it looked at, in words, and what it found."""

    name: str
    looked_at: str
    findings: list[Finding]


def validate(product: Product, region: str = stack.REGION) -> list[Checked]:
    """Every check of the product that needs no account."""
    rehearsal = Rehearsal(product).run()
    sizes = {
        "definition": f"{workflow.definition_sha256()[:16]}, {len(rehearsal.states)} states",
        "data flow": f"{rehearsal.visits} visits of states",
        "requests": f"{len(rehearsal.calls)} requests of states, and those in functions",
        "SQL and recipes": f"{sum(path.endswith('.sql') for path in product.files)} SQL files, "
        f"{sum(path.startswith('databrew_recipes/') for path in product.files)} recipes",
        "mapping": f"{len(product.mapping['statements'])} statements of {product.mapping_file}"
        if product.mapping["statements"]
        else "none: the files are the five tables",
        "scripts": f"{len(scripts.runtimes(product))} files on their runtimes",
        "permissions": f"{len(permissions.policies(product))} roles",
    }
    told = [Checked("golden", "workflows/purchase_prediction.asl.json", list(golden(product)))]
    told += [
        Checked(name, sizes[name], sorted(set(rule(product, rehearsal))))
        for name, rule in RULES.items()
    ]
    of_template = sorted(set(template.check(product, region)))
    resources = len(product.template["Resources"])
    return [*told, Checked("template", f"{resources} resources for {region}", of_template)]


def golden(product: Product) -> Iterable[Finding]:
    """The checked-in definition is the one that the code writes."""
    path = workflow.GOLDEN.relative_to(workflow.GOLDEN.parents[1]).as_posix()
    if json.loads(product.files[path]) != product.definition:
        yield Finding(
            path,
            0,
            "The workflow is not the one that is checked in.",
            "Look at the change with `rebuy definition --write` and `git diff`.",
        )
