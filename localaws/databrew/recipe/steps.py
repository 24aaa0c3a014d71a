"""A recipe step as it is written, and typed access to its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, NoReturn

from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.sql import ident, literal, replacement, unsupported_regex
from localaws.databrew.recipe.table import Table
from localaws.shapes import Json

MAXIMUM_STEPS = 100
SESSION_ONLY = ("GET_ACTION_RESULT", "GET_ADVANCED_DATATYPE", "GET_STEP_DATAFRAME")


@cache
def actions() -> dict[str, Json]:
    """Every operation of the DataBrew guide: its parameters and whether it takes conditions."""
    text = resources.files(__package__).joinpath("actions.json").read_text()
    listed: dict[str, Json] = json.loads(text)
    aliases = {alias: action for action in listed.values() for alias in action.get("aliases", [])}
    return listed | aliases


@dataclass(frozen=True)
class Condition:
    """One of a step's ConditionExpressions; all must hold."""

    condition: str
    value: str
    column: str


@dataclass(frozen=True)
class Step:
    """One step, counted from 1. Parameters are texts, as DataBrew has them."""

    number: int
    operation: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def error(self, problem: str) -> RecipeError:
        return RecipeError(self.number, self.operation, problem)

    def fail(self, problem: str) -> NoReturn:
        raise self.error(problem)

    def has(self, name: str) -> bool:
        return name in self.parameters

    def text(self, name: str, default: str | None = None) -> str:
        value = self.parameters.get(name, default)
        if value is None:
            self.fail(f"parameter {name!r} is missing.")
        return value

    def optional(self, name: str) -> str | None:
        return self.parameters.get(name)

    def integer(self, name: str, default: int | None = None, at_least: int | None = None) -> int:
        text = self.parameters.get(name)
        if text is None and default is not None:
            return default
        try:
            value = int(self.text(name))
        except ValueError:
            self.fail(f"parameter {name!r} is {text!r}; it must be a whole number.")
        if at_least is not None and value < at_least:
            self.fail(f"parameter {name!r} is {value}; it must be at least {at_least}.")
        return value

    def number_text(self, name: str, default: str | None = None) -> str:
        """A number, as SQL (`CAST('0.5' AS DOUBLE)`); infinities are allowed."""
        return self.double(self.text(name, default), name)

    def double(self, text: str, name: str) -> str:
        try:
            float(text)
        except ValueError:
            self.fail(f"parameter {name!r} is {text!r}; it must be a number.")
        return f"CAST({literal(text.strip())} AS DOUBLE)"

    def flag(self, name: str, default: bool = False) -> bool:
        text = self.parameters.get(name)
        if text is None:
            return default
        if text.lower() not in ("true", "false"):
            self.fail(f"parameter {name!r} is {text!r}; it must be true or false.")
        return text.lower() == "true"

    def choice(self, name: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.fail(f"parameter {name!r} is {value!r}; it must be one of {', '.join(allowed)}.")
        return value

    def json(self, name: str, shape: type) -> Any:
        """A JSON list or object packed into the text of a parameter."""
        text = self.text(name)
        what = "list" if shape is list else "object"
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            self.fail(f"parameter {name!r} must be a JSON {what} in a string: {error}.")
        if not isinstance(value, shape):
            self.fail(f"parameter {name!r} must be a JSON {what} in a string; it is {text!r}.")
        return value

    def texts(self, name: str) -> list[str]:
        return [str(value) for value in self.json(name, list)]

    def regex(self, name: str) -> str:
        """A regular expression as an SQL literal."""
        pattern = self.text(name)
        unsupported = unsupported_regex(pattern)
        if unsupported:
            self.fail(f"the pattern {pattern!r} uses {unsupported}, which localaws does not have.")
        return literal(pattern)

    def replacement(self, name: str) -> str:
        return literal(replacement(self.text(name)))

    def existing(self, table: Table, name: str) -> str:
        """`name` if it is a column of the table."""
        if name not in table.columns and not table.open:
            self.fail(f"there is no column {name!r}. The columns are {', '.join(table.columns)}.")
        return name

    def column(self, table: Table, parameter: str = "sourceColumn") -> str:
        return self.existing(table, self.text(parameter))

    def columns(self, table: Table, parameter: str = "sourceColumns") -> list[str]:
        names = [self.existing(table, name) for name in self.texts(parameter)]
        if not names:
            self.fail(f"parameter {parameter!r} lists no column.")
        return names

    def new_column(self, table: Table, parameter: str = "targetColumn") -> str:
        name = self.text(parameter)
        if name.lower() in (existing.lower() for existing in table.columns):
            self.fail(f"the new column {name!r} is there already.")
        return name

    @staticmethod
    def kind(table: Table, column: str) -> str:
        return table.columns.get(column, "VARCHAR")

    def operand(
        self, table: Table, columns: Sequence[str], values: Sequence[str]
    ) -> tuple[str, str]:
        """(SQL, type) of an operand that is a column or a fixed value, whichever is given."""
        for parameter in columns:
            if self.has(parameter):
                name = self.column(table, parameter)
                return ident(name), self.kind(table, name)
        for parameter in values:
            if self.has(parameter):
                return literal(self.text(parameter)), "VARCHAR"
        raise self.error(f"one of {', '.join([*columns, *values])} is needed.")


def read_steps(raw: Sequence[Mapping[str, Any]], supported: Mapping[str, object]) -> list[Step]:
    """The steps of an API request, each checked against the list of DataBrew's operations.

    Raises RecipeError for an operation or parameter that DataBrew does not know, for a parameter
    that is missing or of the wrong form, and (in other words) for an operation that DataBrew has
    and `supported` lacks.
    """
    if len(raw) > MAXIMUM_STEPS:
        raise RecipeError(
            MAXIMUM_STEPS + 1, "recipe", f"a recipe has at most {MAXIMUM_STEPS} steps."
        )
    return [_step(number, item, supported) for number, item in enumerate(raw, start=1)]


def _step(number: int, item: Mapping[str, Any], supported: Mapping[str, object]) -> Step:
    action = item.get("Action") or {}
    step = Step(
        number,
        str(action.get("Operation", "")),
        dict(action.get("Parameters") or {}),
        tuple(
            Condition(each["Condition"], each.get("Value", ""), each["TargetColumn"])
            for each in item.get("ConditionExpressions") or []
        ),
    )
    known = actions().get(step.operation)
    if known is None:
        step.fail("DataBrew has no such operation.")
    if step.operation in SESSION_ONLY:
        step.fail("this operation asks for something in a project's session; it is no step.")
    if step.operation not in supported:
        step.fail("DataBrew has this operation, localaws does not emulate it.")
    if step.conditions and not known["conditional"]:
        step.fail("this operation takes no ConditionExpressions.")
    _check_parameters(step, known["parameters"])
    return step


def _check_parameters(step: Step, known: Mapping[str, Json]) -> None:
    for name, value in step.parameters.items():
        if name not in known:
            step.fail(f"unknown parameter {name!r}. It takes {', '.join(known) or 'none'}.")
        if not isinstance(value, str):
            step.fail(f"parameter {name!r} is no text; lists and objects are JSON in a string.")
    groups: dict[str, list[str]] = {}
    for name, rule in known.items():
        if rule.get("required") and name not in step.parameters:
            step.fail(f"parameter {name!r} is missing.")
        if "oneOf" in rule:
            groups.setdefault(rule["oneOf"], []).append(name)
    for names in groups.values():
        if not any(name in step.parameters for name in names):
            step.fail(f"one of the parameters {', '.join(names)} is needed.")
