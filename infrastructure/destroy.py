"""Takes a deployment away: shown first, what costs money first, the data only when asked; and
proven in the end, by listing everything that it consisted of."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from configuration.connection import Connection
from configuration.errors import DeploymentError
from infrastructure import inventory, names
from infrastructure.inventory import Kind
from infrastructure.stack import Say, find_stack, follow, missing, newest_event, poll_seconds, wait
from infrastructure.stack_states import STATES, Way

ROUNDS = 3  # a run that was stopped may have made one thing more
SETTLING_SECONDS = (
    120.0  # DeleteStateMachine ends later than it answers: DELETING may outlast a stack
)
LONGEST_SECONDS = 900.0  # for executions to end and for the endpoint to be gone
# What no call can take away, or what is the account's and not this deployment's.
STAYS = ("the account's records of training jobs and of queries (they cost nothing)",)


@dataclass(frozen=True)
class Plan:
    """What is there: `goes` and `stays` are (kind, name)."""

    stack_status: str | None
    protected: bool
    goes: tuple[tuple[str, str], ...]
    stays: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str]:
        if self.stack_status:
            yield f"goes:  the stack ({self.stack_status}) with everything in it"
        yield from (f"goes:  {kind}: {name}" for kind, name in self.goes)
        yield from (f"stays: {kind}: {name}" for kind, name in self.stays)


@dataclass(frozen=True)
class Removal:
    """What is left, in words, and the kinds of which nothing is."""

    left: tuple[str, ...]
    gone: tuple[str, ...]


def plan(connection: Connection, *, with_data: bool) -> Plan:
    """What a `destroy` would take away. Raises DeploymentError when nothing is there."""
    stack = find_stack(connection.client("cloudformation"), connection.settings.stack_name)
    found = [(kind, name) for kind in inventory.ALL for name in kind.find(connection)]
    if stack is None and not found:
        raise missing(connection)
    of_stack = {kind.name for kind in inventory.OF_THE_STACK} if stack else set()
    stays = {kind.name for kind in inventory.ALL if kind.data and not with_data}
    return Plan(
        stack["StackStatus"] if stack else None,
        bool(stack and stack.get("EnableTerminationProtection")),
        tuple((k.name, n) for k, n in found if k.name not in stays | of_stack),
        tuple((k.name, n) for k, n in found if k.name in stays),
    )


def destroy(connection: Connection, say: Say, *, with_data: bool) -> Removal:
    """Stops what runs, deletes what runs have made, the stack and the packages; with `with_data`
    also the raw files and the lake, with every model and audit record in it.

    Raises DeploymentError when nothing is there, when the stack is protected, when it cannot be
    deleted, and when in the end anything is found that should be gone.
    """
    planned = plan(connection, with_data=with_data)
    name = connection.settings.stack_name
    if planned.protected:
        raise DeploymentError(
            f"Stack {name} is protected against deletion. Deploy it with"
            " termination_protection = false first."
        )
    _remove(connection, inventory.EXECUTIONS, say)
    for kind in inventory.MADE_BY_RUNS:
        _remove(connection, kind, say)
    _delete_stack(connection, say)
    kept = [kind for kind in inventory.ALL if kind.data and not with_data]
    gone = [kind for kind in inventory.ALL if kind not in kept]
    left = _listed(connection, gone)
    for _ in range(ROUNDS):
        if not left:
            break
        for kind in left:
            if kind.remove is not None:
                _remove(connection, kind, say)
        left = _listed(connection, gone)
    ends = time.monotonic() + SETTLING_SECONDS
    while planned.stack_status and left and time.monotonic() < ends:
        time.sleep(poll_seconds(connection.client("sts")))
        left = _listed(connection, left)
    if left:
        lines = "\n".join(f"  {kind.name}: {', '.join(found)}" for kind, found in left.items())
        raise DeploymentError(f"Not everything of {name} could be taken away:\n{lines}")
    data = [f"s3://{found} with {kind.name}" for kind in kept for found in kind.find(connection)]
    return Removal((*data, *STAYS), tuple(kind.name for kind in gone))


def _listed(connection: Connection, kinds: Iterable[Kind]) -> dict[Kind, list[str]]:
    """What is there, of those kinds of which anything is."""
    return {kind: found for kind in kinds if (found := kind.find(connection))}


def _remove(connection: Connection, kind: Kind, say: Say) -> None:
    """Takes away all of a kind that is there, and waits until the listing says so."""
    found = kind.find(connection)
    verb = "stop" if kind is inventory.EXECUTIONS else "delete"
    for name in found:
        say(f"{verb} {kind.name}: {name.rsplit(':', 1)[-1]}")
        assert kind.remove is not None
        kind.remove(connection, name)
    ends = time.monotonic() + LONGEST_SECONDS
    while found and set(found) & set(kind.find(connection)):
        if time.monotonic() > ends:
            raise DeploymentError(f"{kind.name} are still there: {', '.join(found)}")
        time.sleep(poll_seconds(connection.client("sts")))


def _delete_stack(connection: Connection, say: Say) -> None:
    cloudformation, name = connection.client("cloudformation"), connection.settings.stack_name
    stack = find_stack(cloudformation, name)
    if stack is None:
        return
    if STATES[stack["StackStatus"]].way is Way.FOLLOW:
        say(f"stack {name} is {stack['StackStatus']}: waiting for its end")
        follow(cloudformation, stack["StackId"], newest_event(cloudformation, name), say)
        if find_stack(cloudformation, name) is None:
            return
    site = names.named(names.SITE, connection)
    if inventory.site_bucket(connection):
        say(f"empty s3://{site}")  # a stack cannot delete a bucket that holds something
        inventory.empty(connection, site)
    seen = newest_event(cloudformation, name)
    say(f"delete stack {name}")
    cloudformation.delete_stack(StackName=name)
    # By its id: the name of a deleted stack names nothing any more.
    wait(cloudformation, stack["StackId"], seen, say)
