"""The kit of a run: {"schema_version", "where", "execution", "status", "facts": {path: [form]}}.

Paths begin with the state and the event, `Join features: TaskSucceeded`; with `history` for the
order of events; or with the call that asked, `glue.get_job_run`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from configuration.connection import Connection
from configuration.errors import InputError
from executions.events import all_events
from executions.history import History, Visit, details_of
from rebuy.parity.described import described, run_of
from rebuy.parity.forms import Forms

# What states hand on is of the definition: a difference would be told at every state after it.
HANDED_ON = {"input", "inputDetails", "output", "outputDetails", "name"}
SCHEMA_VERSION = 1


class Kit(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = SCHEMA_VERSION
    where: str
    execution: str
    status: str
    facts: dict[str, list[str]]


def read(file: Path) -> Kit:
    """Raises InputError when the file is none."""
    try:
        return Kit.model_validate_json(file.read_text())
    except FileNotFoundError:
        raise InputError(
            f"There is no kit {file}: `rebuy parity` on a local run writes one (--kit names it)."
        ) from None
    except ValidationError as error:
        raise InputError(f"{file} is no kit of `rebuy parity`: {error}") from error


def gather(connection: Connection, arn: str, outputs: dict[str, str]) -> Kit:
    """The kit of an execution that has ended; `outputs` are the stack's."""
    client = connection.client("stepfunctions")
    execution = client.describe_execution(executionArn=arn)
    if execution["status"] == "RUNNING":
        raise InputError(f"{arn} still runs; `rebuy watch` follows it to its end.")
    history = History()
    owned = [(history.add(event), event) for event in all_events(client, arn)]
    forms = Forms(_own_names(connection, arn, history))
    for visit, event in owned:
        of_state = visit is not None and "State" in event["type"]
        details = details_of(event)
        told = {k: v for k, v in details.items() if not (of_state and k in HANDED_ON)}
        place = visit.state if visit is not None else "execution"
        forms.add(f"{forms.text(place)}: {event['type']}", told)
    _order(forms, owned)
    for call, answer in described(connection.clients, execution, history, outputs):
        forms.add(call, answer)
    return Kit(
        where=connection.where,
        execution=arn,
        status=execution["status"],
        facts={path: sorted(found) for path, found in sorted(forms.facts.items())},
    )


def _own_names(connection: Connection, arn: str, history: History) -> dict[str, str]:
    """What only this run, this account and this place are called."""
    names = {
        connection.account: "<account>",
        connection.region: "<region>",
        arn.rsplit(":", 1)[1]: "<execution>",
    }
    for visit in history.visits:
        if run := run_of(visit):
            names |= {run["id"]: "<run>", run["name"]: "<run name>"}
    if connection.settings.stack_name != "rebuy":
        names[connection.settings.stack_name] = "rebuy"
    return names


def _order(forms: Forms, owned: list[tuple[Visit | None, dict[str, Any]]]) -> None:
    """In which order a visit's events came, and which states follow each other."""
    of_visit: dict[Visit | None, list[str]] = {}
    entered: dict[tuple[Visit | None, int | None], list[str]] = {}
    for visit, event in owned:
        of_visit.setdefault(visit, []).append(event["type"])
        if visit is not None and event["type"].endswith("StateEntered"):
            entered.setdefault((visit.scope, visit.iteration), []).append(visit.state)
    for visit, kinds in of_visit.items():
        if visit is not None:
            forms.add(f"history: {forms.text(visit.state)}", " ".join(kinds))
    for states in entered.values():
        for before, after in pairwise(states):
            forms.add(f"history: after {forms.text(before)}", after)
