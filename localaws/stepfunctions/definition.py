"""A state machine definition as the engine walks it: groups of states, found by pointer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from localaws.shapes import Json
from localaws.stepfunctions.expression_cost import may_take_long

JSONPATH = "JSONPath"
JSONATA = "JSONata"
DISTRIBUTED_MAP = "Distributed Map"
GROUP_FIELDS = frozenset({"Branches", "ItemProcessor", "Iterator"})


@dataclass(frozen=True)
class State:
    """One state. `groups` are a Parallel's branches or a Map's item processor (one group)."""

    name: str
    type: str
    body: Json
    language: str
    groups: tuple[Group, ...] = ()
    reads_token: bool = False  # whether it mentions $$.Task.Token
    slow: bool = False  # whether an expression of it, or of a state around it, may take long

    @property
    def kind(self) -> str:
        """Its type, but a Map in mode DISTRIBUTED is a kind of its own."""
        return DISTRIBUTED_MAP if self.distributed else self.type

    @property
    def processor(self) -> Json:
        """A Map's item processor, also under its older name."""
        return self.body.get("ItemProcessor") or self.body.get("Iterator") or {}

    @property
    def distributed(self) -> bool:
        mode = (self.processor.get("ProcessorConfig") or {}).get("Mode")
        return self.type == "Map" and mode == "DISTRIBUTED"


@dataclass(frozen=True)
class Group:
    """States that run one after the other: the machine, a branch or an item processor.

    `pointer` names the place for good: "" is the machine, "/Clean all/1" a state's second group.
    """

    pointer: str
    start_at: str
    states: dict[str, State]


@dataclass(frozen=True)
class Machine:
    text: str
    root: Group
    language: str
    timeout_seconds: float | None
    groups: dict[str, Group] = field(default_factory=dict)

    def state(self, pointer: str, name: str) -> State:
        return self.groups[pointer].states[name]


@lru_cache(maxsize=256)
def parse(text: str) -> Machine:
    """The machine of a definition that `validation.diagnose` found free of errors."""
    body: Json = json.loads(text)
    language = body.get("QueryLanguage", JSONPATH)
    root = _group(body, "", language)
    groups = {group.pointer: group for group in walk(root)}
    return Machine(text, root, language, body.get("TimeoutSeconds"), groups)


def walk(group: Group) -> Iterator[Group]:
    """The group and every group inside it."""
    yield group
    for state in group.states.values():
        for inner in state.groups:
            yield from walk(inner)


def inner_bodies(state: Json) -> list[Json]:
    """The bodies of a state's groups: branches, item processor or the older iterator."""
    if state.get("Type") == "Parallel":
        return list(state.get("Branches", []))
    if state.get("Type") == "Map":
        body = state.get("ItemProcessor", state.get("Iterator"))
        return [] if body is None else [body]
    return []


def _group(body: Json, pointer: str, language: str, *, slow: bool = False) -> Group:
    states = {}
    for name, state in body["States"].items():
        own_fields = {key: value for key, value in state.items() if key not in GROUP_FIELDS}
        state_slow = slow or may_take_long(own_fields)
        groups = tuple(
            _group(inner, f"{pointer}/{name}/{index}", language, slow=state_slow)
            for index, inner in enumerate(inner_bodies(state))
        )
        own = state.get("QueryLanguage", language)
        reads_token = state["Type"] == "Task" and "Task.Token" in json.dumps(state)
        states[name] = State(name, state["Type"], state, own, groups, reads_token, state_slow)
    return Group(pointer, body["StartAt"], states)
