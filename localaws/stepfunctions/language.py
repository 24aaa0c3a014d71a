"""What a query language decides about a state; JSONPath and JSONata each implement it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from localaws.shapes import Json
from localaws.stepfunctions.definition import State


@dataclass
class Scope:
    """What expressions of one visit of a state can see."""

    state: State
    input: Any
    context: Json
    variables: Json = field(default_factory=dict)


class Language(Protocol):
    """Every method may raise StateError. `(output, assigned)` pairs hold the state's output and
    the workflow variables that change with it."""

    def input(self, scope: Scope) -> Any:
        """The effective input (InputPath)."""

    def arguments(self, scope: Scope) -> Any:
        """What a Task sends, what a Parallel gives each branch, what a Pass passes on."""

    def number(self, scope: Scope, name: str) -> float | None:
        """A field in seconds or a count: `name` or `namePath`; None when not given."""

    def text(self, scope: Scope, name: str) -> str | None:
        """Error and Cause of a Fail, Timestamp of a Wait."""

    def output(self, scope: Scope, result: Any) -> tuple[Any, Json]:
        """After the work: ResultSelector, ResultPath, OutputPath and Assign."""

    def choose(self, scope: Scope) -> tuple[str | None, Any, Json]:
        """(next state or None when no rule fits, output, assigned) of a Choice."""

    def items(self, scope: Scope) -> Any:
        """What a Map iterates over."""

    def item_input(self, scope: Scope, item: Any) -> Any:
        """An iteration's input; `scope.context` has the item."""

    def template(self, scope: Scope, template: Any) -> Any:
        """Any payload template of the state (ItemReader, ItemBatcher, ResultWriter)."""

    def caught(self, scope: Scope, catcher: Json, error: Json) -> tuple[Any, Json]:
        """The output when `catcher` took `{Error, Cause}`."""
