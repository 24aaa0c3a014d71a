"""Graphs for notebooks: shown as they are returned, without scripts, offline.

from console.notebook import Graph
Graph(definition)
Graph.of_execution(arn, endpoint_url="http://127.0.0.1:4566")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console import drawing, executions, report
from executions.clients import Clients, Target

Json = dict[str, Any]


class Graph:
    """A workflow, drawn when a notebook shows it.

    `definition` is a dict, JSON text, a file (`Path`), or what the Step Functions Data Science SDK
    builds: a `Workflow` or its `definition`. With `events`, it has the colours of how it went.
    Stages come first where the states say theirs; with `states`, every state is drawn.
    DrawingError for what is no definition.
    """

    def __init__(
        self,
        definition: Any,
        *,
        title: str | None = None,
        events: list[Json] | None = None,
        states: bool = False,
    ) -> None:
        self.definition = drawing.as_text(_plain(definition))
        self.title = title
        self.events = events
        self.states = states

    @classmethod
    def of_execution(
        cls,
        arn: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        states: bool = False,
    ) -> Graph:
        """The graph of an execution as it is now; AWS itself without `endpoint_url`."""
        client = Clients(Target(endpoint_url, region, profile))("stepfunctions")
        described, events = report.events_of(client, arn)
        found = executions.definition(client, arn, described["stateMachineArn"])
        title = f"{described['name']}: {described['status']}"
        return cls(found["definition"], title=title, events=events, states=states)

    def svg(self) -> str:
        """The drawing by itself, to be written to a file."""
        return drawing.svg(
            self.definition, title=self.title, events=self.events, states=self.states
        )

    def _repr_html_(self) -> str:
        frame = 'style="overflow:auto;max-height:720px" tabindex="0" role="region"'
        return f'<div {frame} aria-label="Workflow">{self.svg()}</div>'


def _plain(definition: Any) -> str | Json:
    if isinstance(definition, Path):
        return definition.read_text()
    if isinstance(definition, str | dict):
        return definition
    inner = getattr(definition, "definition", definition)
    if hasattr(inner, "to_dict"):
        found: Json = inner.to_dict()
        return found
    kind = type(definition).__name__
    raise drawing.DrawingError(f"{kind} is no definition: a dict, JSON, a Path or a Workflow is.")
