"""cfn-lint over the template, for the region it goes to, with the places in our sources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rebuy.validation import stack
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product

REFERRED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


def check(product: Product, region: str = stack.REGION) -> Iterator[Finding]:
    yield from _images(product, region)
    yield from lint(product, region)


def lint(product: Product, region: str) -> Iterator[Finding]:
    """cfn-lint's findings. A resource type that the region does not have is one."""
    from cfnlint.api import lint as cfn_lint

    matches: list[Any] = cfn_lint(json.dumps(product.template, indent=1), None, [region])
    for match in matches:
        path = list(match.path or [])
        logical = str(path[1]) if len(path) > 1 and path[0] == "Resources" else ""
        file, line = product.where_resource(logical) if logical else product.where_resource("")
        what = f"{logical}: " if logical else ""
        below = " at " + ".".join(map(str, path[2:])) if path[2:] else ""
        yield Finding(
            file,
            line,
            f"{what}{match.message.rstrip('.')} ({match.rule.id}{below}).",
            "CloudFormation or its service would refuse it."
            if match.rule.id.startswith("E")
            else "cfn-lint advises against it.",
        )


def _images(product: Product, region: str) -> Iterator[Finding]:
    for name, regions in product.template.get("Mappings", {}).items():
        if region not in regions:
            file, line = product.where(name, ("infrastructure",))
            yield Finding(
                file,
                line,
                f"The mapping {name} has nothing for {region}.",
                f"It has: {', '.join(sorted(regions))}.",
            )
