"""What CreateStateMachine would refuse, and what nobody fills in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from localaws.stepfunctions import validation
from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.resources import Resource, ResourceError
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal, handler_file
from rebuy.validation.samples import asked_of_event

Json = dict[str, Any]
PLACE = re.compile(r"/States/([^/]+)")
UNFILLED = re.compile(r"\$\{(\w+)\}")


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    yield from _language(product)
    yield from _substitutions(product)
    yield from _functions(product, rehearsal)


def _language(product: Product) -> Iterator[Finding]:
    for found in validation.diagnose(json.dumps(product.filled), known):
        names = PLACE.findall(found.location or "")
        file, line = product.where_state(names[-1]) if names else product.where("StartAt")
        where = f"State {names[-1]!r}: " if names else "The definition: "
        what = f"{where}{found.message} (at {found.location})."
        mend = "https://states-language.net and AWS's page of the state's type say what it takes."
        if found.severity == "ERROR":
            yield Finding(file, line, what, mend)


def known(resource: Resource) -> None:
    """Raises ResourceError for an AWS SDK integration that has no such operation."""
    if resource.is_function or resource.is_activity or resource.is_http:
        return
    name = models.botocore_name(resource.service)
    if name is None or models.operation_model(name, resource.operation) is None:
        raise ResourceError(resource.arn)


def _substitutions(product: Product) -> Iterator[Finding]:
    """CloudFormation leaves a `${Name}` as it is that DefinitionSubstitutions does not have."""
    given = product.stack.substitutions()
    for name in sorted(set(UNFILLED.findall(json.dumps(product.definition))) - set(given)):
        file, line = product.where("${" + name + "}", ("tasks", "workflows", "sql"))
        yield Finding(
            file,
            line,
            f"${{{name}}} is filled in by nobody.",
            "Add it to DefinitionSubstitutions in infrastructure/template/workflow.py, which has: "
            f"{', '.join(sorted(given))}.",
        )


def _functions(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    """A task's function is there, and gets the members that its handler asks its event for."""
    for call in rehearsal.calls:
        if call.resource.service != "lambda" or call.resource.sdk:
            continue
        file, line = product.where_state(call.state)
        name = call.arguments.get("FunctionName") if isinstance(call.arguments, dict) else None
        found = product.stack.function_at(str(name))
        if found is None:
            yield Finding(
                file,
                line,
                f"State {call.state!r} invokes {name!r}, which is no function of the template.",
                "infrastructure/deployables.py lists the functions.",
            )
            continue
        path = handler_file(found[1])
        if path not in product.files:
            yield Finding(
                *product.where_resource(found[0]),
                f"The function {found[0]} has the handler {found[1]['Handler']}, and there is no "
                f"{path}.",
                "Name the module and function of a file in the package.",
            )
            continue
        payload = call.arguments.get("Payload", {})
        sent = payload if isinstance(payload, dict) else {}
        for chain, number in asked_of_event(product.files[path], sent):
            if isinstance(payload, dict) and _lacks(payload, chain):
                shown = "".join(f"[{name!r}]" for name in chain)
                yield Finding(
                    path,
                    number,
                    f"The handler reads event{shown}, which State {call.state!r} does not send.",
                    f"It sends: {', '.join(payload)} ({file}:{line}).",
                )


def _lacks(value: Any, chain: tuple[str, ...]) -> bool:
    for name in chain:
        if not isinstance(value, dict):
            return False
        if name not in value:
            return True
        value = value[name]
    return False
