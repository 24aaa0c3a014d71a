"""A template with what is known before it is deployed filled in: parameters, names, conditions."""

from __future__ import annotations

import json
import re
from typing import Any

from infrastructure.words import Json

_NAMED = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def resources(template: Json, values: dict[str, str]) -> dict[str, Json]:
    """The resources whose condition holds. `values`: parameters and pseudo parameters by name;
    what is not among them (other resources) stays as `${Name}` or `${Name.Attribute}`."""
    known = {name: str(about["Default"]) for name, about in template.get("Parameters", {}).items()
             if "Default" in about} | values  # fmt: skip
    conditions = template.get("Conditions", {})
    return {
        name: resolve({k: v for k, v in one.items() if k != "Condition"}, known, conditions)
        for name, one in template.get("Resources", {}).items()
        if "Condition" not in one or holds({"Condition": one["Condition"]}, known, conditions)
    }


def resolve(value: Any, known: dict[str, str], conditions: Json) -> Any:
    """One value of the template, its functions worked out as far as `known` goes."""
    if isinstance(value, list):
        found = [resolve(one, known, conditions) for one in value]
        return [one for one in found if one is not _NOTHING]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Ref":
            return _NOTHING if argument == "AWS::NoValue" else _named(argument, known)
        if name == "Fn::GetAtt":
            return "${" + ".".join(argument) + "}"
        if name == "Fn::Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            own = {key: str(resolve(one, known, conditions)) for key, one in own.items()}
            return _NAMED.sub(lambda found: _named(found[1], known | own), text)
        if name == "Fn::If":
            chosen = argument[1 if holds({"Condition": argument[0]}, known, conditions) else 2]
            return resolve(chosen, known, conditions)
    members = {key: resolve(one, known, conditions) for key, one in value.items()}
    return {key: one for key, one in members.items() if one is not _NOTHING}


def holds(condition: Any, known: dict[str, str], conditions: Json) -> bool:
    """Whether a condition of the template holds."""
    ((name, argument),) = condition.items()
    if name == "Condition":
        return holds(conditions[argument], known, conditions)
    if name == "Fn::Equals":
        left, right = (resolve(one, known, conditions) for one in argument)
        return bool(str(left) == str(right))
    tests = [holds(one, known, conditions) for one in argument]
    return not tests[0] if name == "Fn::Not" else any(tests) if name == "Fn::Or" else all(tests)


def _named(name: str, known: dict[str, str]) -> str:
    return known.get(name, "${" + name + "}")


class _Nothing:
    """AWS::NoValue: the member is not there."""


_NOTHING = _Nothing()


def text(value: Any) -> str:
    """A value as one line, to be compared and shown."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
