"""A run without a run: every state with the data it can get, in every order of choices and catches.

The states' data flow is worked out by the engine that runs executions here; what a task would
answer stands in `samples.py`. What a state reads and nothing has written is a finding, not an end:
the state's output is then its input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from localaws.stepfunctions import choice
from localaws.stepfunctions.definition import JSONATA, Group, Machine, State, parse
from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.expression_cost import texts
from localaws.stepfunctions.integrations.resources import Resource, ResourceError
from localaws.stepfunctions.jsonata_language import JsonataLanguage
from localaws.stepfunctions.jsonpath_language import JsonPathLanguage
from localaws.stepfunctions.language import Language, Scope
from rebuy.validation import samples, stack
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product

Json = dict[str, Any]
LANGUAGES: dict[str, Language] = {"JSONPath": JsonPathLanguage(), "JSONata": JsonataLanguage()}
NAMED = re.compile(r"(?:'|value: )(\$[^' ]*)")  # a path in the engine's words
READ = re.compile(r"(?<!\$)\$(?:states\.(?:input|result))?((?:\.\w+)+)")
STATES = re.compile(r"\$states\.(input|result|context)((?:\.\w+)+)")
TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
MOST_VISITS = 3000
MAKERS = ("athena", "databrew", "glue")
ERROR = {"Error": "States.TaskFailed", "Cause": json.dumps({"errorMessage": "sample"})}


@dataclass(frozen=True)
class Call:
    """One request of a task. `way` has the numbers of the calls before it that may have made what
    it reads."""

    state: str
    resource: Resource
    arguments: Any
    way: tuple[int, ...] = ()


@dataclass
class Rehearsal:
    """`calls` are numbered by their first visit."""

    product: Product
    findings: list[Finding] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    seen: set[tuple[str, int, str, tuple[int, ...]]] = field(default_factory=set)
    visits: int = 0

    def run(self) -> Rehearsal:
        self._walk(self.machine.root, {}, ())
        return self

    @cached_property
    def machine(self) -> Machine:
        return parse(json.dumps(self.product.filled))

    # --- the walk --------------------------------------------------------------------------------

    def _walk(
        self, group: Group, value: Any, way: tuple[int, ...], item: int = 0
    ) -> tuple[Any, tuple[int, ...]]:
        """The output of the group's last state, and the calls on the way to it. Of a Map's items
        each is walked, though they are of one shape."""
        last: tuple[Any, tuple[int, ...]] | None = None
        waiting: list[tuple[str, Any, tuple[int, ...]]] = [(group.start_at, value, way)]
        while waiting and self.visits < MOST_VISITS:
            name, given, before = waiting.pop()
            if name not in group.states:
                continue  # the definition's own checks say so
            key = (f"{group.pointer}/{name}", item, shape(given), tuple(sorted(set(before))))
            if key in self.seen:
                continue
            self.seen.add(key)
            self.visits += 1
            for target, output, after in self._visit(group.states[name], given, before):
                if target is None:
                    last = last or (output, after)
                else:
                    waiting.append((target, output, after))
        return last or (value, way)

    def _visit(
        self, state: State, value: Any, way: tuple[int, ...]
    ) -> Iterator[tuple[str | None, Any, tuple[int, ...]]]:
        """(next state, its input, the calls so far), of every way on."""
        scope = Scope(state, value, self._context(state))
        language, body = LANGUAGES[state.language], state.body
        if state.type == "Choice":
            yield from ((target, value, way) for target in self._chosen(scope, language))
            return
        if state.type == "Fail":
            return
        result, after = self._result(scope, language, way)
        self._check_expressions(scope, result)
        try:
            output = language.output(scope, result)[0]
        except StateError as error:
            self._found(state, error)
            output = value
        following = None if body.get("End") or state.type == "Succeed" else body.get("Next")
        yield following, output, after
        for catcher in body.get("Catch", ()):
            try:
                # What the call makes is there already, or was made before it failed.
                yield catcher["Next"], language.caught(scope, catcher, dict(ERROR))[0], after
            except StateError as error:
                self._found(state, error)

    def _result(
        self, scope: Scope, language: Language, way: tuple[int, ...]
    ) -> tuple[Any, tuple[int, ...]]:
        state = scope.state
        try:
            if state.type == "Wait":
                language.number(scope, "Seconds")
                return language.input(scope), way
            if state.type in ("Succeed", "Pass"):
                given = state.body.get("Result") if "Result" in state.body else None
                return given if given is not None else language.arguments(scope), way
            arguments = language.arguments(scope)
        except StateError as error:
            self._found(state, error)
            return scope.input, way
        if state.type == "Parallel":
            ends = [self._walk(group, arguments, way) for group in state.groups]
            return [output for output, _ in ends], joined(way, *(after for _, after in ends))
        if state.type == "Map":
            return self._map(scope, language, way)
        return self._task(state, arguments, way)

    def _map(
        self, scope: Scope, language: Language, way: tuple[int, ...]
    ) -> tuple[Any, tuple[int, ...]]:
        """What the states of each item put out; items that only a run has are one, `{}`."""
        found: list[tuple[Any, tuple[int, ...]]] = []
        try:
            items = [] if "ItemReader" in scope.state.body else list(language.items(scope))
            for index, item in enumerate(items or [{}]):
                scope.context["Map"] = {"Item": {"Index": index, "Value": item}}
                given = language.item_input(scope, item)
                found.append(self._walk(scope.state.groups[0], given, way, index))
        except StateError as error:
            self._found(scope.state, error)
        return [output for output, _ in found], joined(way, *(after for _, after in found))

    def _task(
        self, state: State, arguments: Any, way: tuple[int, ...]
    ) -> tuple[Any, tuple[int, ...]]:
        try:
            resource = Resource.parse(state.body["Resource"])
        except ResourceError:
            return {}, way  # the definition's own checks say so
        call = Call(state.name, resource, arguments, way)
        number = next(
            (n for n, other in enumerate(self.calls) if same(call, other)), len(self.calls)
        )
        if number == len(self.calls):
            self.calls.append(call)
        # Only what makes tables matters to who comes after.
        after = joined(way, (number,)) if resource.service in MAKERS else way
        if resource.service == "lambda" and not resource.sdk:
            return {"Payload": self._answer(state, arguments), "StatusCode": 200}, after
        return samples.of_service(resource), after

    # --- what functions answer -------------------------------------------------------------------

    @cached_property
    def _reads(self) -> list[tuple[str, ...]]:
        """Every chain of members that any state reads, or a function of what its state sends."""
        text = json.dumps(self.product.filled)
        found = {tuple(match[1:].split(".")) for match in READ.findall(text)}
        for state in self.states.values():
            sent = state.body.get("Parameters", {}) if state.type == "Task" else {}
            path = self.source_of(sent)
            if path is None or not isinstance(sent.get("Payload"), dict):
                continue
            for chain, _ in samples.asked_of_event(self.product.files.get(path, "")):
                whence = sent["Payload"].get(f"{chain[0]}.$", "")
                if str(whence).startswith("$."):
                    found.add((*whence[2:].split("."), *chain[1:]))
        return sorted(found)

    def _answer(self, state: State, arguments: Any) -> Json:
        """What the states read of this function's answer, and its source writes."""
        path = self.source_of(arguments)
        written = samples.written_by(self.product.files, path) if path else {}
        wanted: Json = {}
        for prefix in self._places(state):
            for chain in self._reads:
                if chain[: len(prefix)] == prefix:
                    branch = wanted
                    for name in chain[len(prefix) :]:
                        branch = branch.setdefault(name, {})
        found = samples.of_function(wanted, written)
        for prefix in self._places(state):
            for chain, item in self._lists.items():
                if chain[: len(prefix)] == prefix and len(chain) > len(prefix):
                    known = {name: text for name, text in item.items() if name in written}
                    put(found, chain[len(prefix) :], [known])
        return found

    @cached_property
    def _lists(self) -> dict[tuple[str, ...], Json]:
        """Every chain that a Map goes over, with an item that has what the states inside read of
        it (and the function's source writes)."""
        found: dict[tuple[str, ...], Json] = {}
        for state in self.states.values():
            if state.type != "Map" or not state.groups:
                continue
            over = state.body.get("Items", state.body.get("ItemsPath", ""))
            if not isinstance(over, str):  # the items themselves
                continue
            chains = READ.findall(over)
            inside = [dict(inner.body) for inner in state.groups[0].states.values()]
            names = {match[1:].split(".")[0] for match in READ.findall(json.dumps(inside))}
            item = {name: samples.of_name(name) for name in names}
            found.update({tuple(chain[1:].split(".")): item for chain in chains})
        return found

    def source_of(self, arguments: Any) -> str | None:
        """The file of the function that a task invokes."""
        name = arguments.get("FunctionName") if isinstance(arguments, dict) else None
        found = self.product.stack.function_at(str(name)) if name else None
        return handler_file(found[1]) if found else None

    def _places(self, state: State) -> Iterator[tuple[str, ...]]:
        """Where the function's answer stands in the state's output."""
        body = state.body
        if state.language == JSONATA:
            for name in re.findall(
                r"'(\w+)': *\$states\.result\.Payload", str(body.get("Output", ""))
            ):
                yield (name,)
            yield ("Payload",)
            return
        path = body.get("ResultPath", "$")
        base = (
            tuple(path.removeprefix("$").strip(".").split(".")) if path not in (None, "$") else ()
        )
        selector = body.get("ResultSelector")
        if selector is None:
            yield (*base, "Payload")
            return
        for key, value in selector.items():
            if value == "$.Payload":
                yield (*base, key.removesuffix(".$"))

    # --- what is read ---

    def _chosen(self, scope: Scope, language: Language) -> Iterator[str]:
        """Every state that the choice may go on to. Each rule is tried, not only the first one."""
        body = scope.state.body
        if scope.state.language == JSONATA:
            self._check_expressions(scope, None)
        else:
            try:
                roots = {"$": language.input(scope), "$$": scope.context}
                for rule in body.get("Choices", ()):
                    choice.fits(rule, roots)
            except StateError as error:
                self._found(scope.state, error)
        targets = [rule.get("Next") for rule in body.get("Choices", ())] + [body.get("Default")]
        yield from dict.fromkeys(target for target in targets if isinstance(target, str))

    def _check_expressions(self, scope: Scope, result: Any) -> None:
        """A member that JSONata does not find is left out without a word: an argument or a result
        that lacks it."""
        if scope.state.language != JSONATA:
            return
        fields = {
            key: value
            for key, value in scope.state.body.items()
            if key not in ("Catch", "Retry", "Comment", "Branches", "ItemProcessor")
        }
        roots = {"input": scope.input, "result": result, "context": scope.context}
        for text in texts(fields):
            if not text.startswith("{%"):
                continue
            plain = TEXT.sub('""', text)
            for root, chain in STATES.findall(plain):
                if f"$exists($states.{root}{chain}" in plain:
                    continue
                if missing(roots[root], chain[1:].split(".")):
                    self._report(scope.state, f"$states.{root}{chain}", roots[root])

    def _found(self, state: State, error: StateError) -> None:
        cause = error.cause or ""
        named = NAMED.search(cause)
        if "could not be found" in cause or "Invalid path" in cause or "does not ref" in cause:
            self._report(state, named[1] if named else cause, None)
            return
        if state.language == JSONATA and any(f.file for f in self._of(state)):
            return  # the member that is missing is told already
        file, line = self.product.where_state(state.name)
        what = f"State {state.name!r} fails before it does anything: {cause[:300]}"
        self._add(Finding(file, line, what, "Mend the expression."))

    def _of(self, state: State) -> list[Finding]:
        return [found for found in self.findings if f"State {state.name!r} " in found.what]

    def _report(self, state: State, path: str, found: Any) -> None:
        file, line = self.product.where_state(state.name)
        there = f" There is: {', '.join(sorted(found))}." if isinstance(found, dict) else ""
        what = f"State {state.name!r} reads {path}, which no state before it writes."
        mend = "Write it before, or read what is there." + there + self._writers(path)
        self._add(Finding(file, line, what, mend))

    def _writers(self, path: str) -> str:
        """For a path into a function's answer: which members that function writes, and which of
        like names the modules that it imports."""
        for call in self.calls:
            source = self.source_of(call.arguments) if call.resource.service == "lambda" else None
            state = self.states.get(call.state)
            if source is None or state is None:
                continue
            chain = path.removeprefix("$").removeprefix("states.input").strip(".").split(".")
            if any(place and chain[: len(place)] == list(place) for place in self._places(state)):
                own = samples.written_by({source: self.product.files[source]}, source)
                near = get_close_matches(chain[-1], samples.written_by(self.product.files, source))
                return f" {source} writes: {', '.join(sorted({*own, *near}))}."
        return ""

    @cached_property
    def states(self) -> dict[str, State]:
        return {n: s for group in self.machine.groups.values() for n, s in group.states.items()}

    def _add(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def _context(self, state: State) -> Json:
        name = self.product.stack.machine()[1].get("StateMachineName", "machine")
        place = f"{stack.REGION}:{stack.ACCOUNT}"
        return {
            "Execution": {
                "Id": f"arn:aws:states:{place}:execution:{name}:sample",
                "Input": {},
                "Name": "sample",
                "RoleArn": f"arn:aws:iam::{stack.ACCOUNT}:role/sample",
                "StartTime": "2026-01-01T00:00:00.000Z",
                "RedriveCount": 0,
                "RedriveTime": "2026-01-01T00:00:00.000Z",
            },
            "StateMachine": {"Id": f"arn:aws:states:{place}:stateMachine:{name}", "Name": name},
            "State": {
                "Name": state.name,
                "EnteredTime": "2026-01-01T00:00:00.000Z",
                "RetryCount": 0,
            },
            "Task": {"Token": "sample"},
        }


def handler_file(function: Mapping[str, Any]) -> str:
    return str(function["Handler"]).rpartition(".")[0].replace(".", "/") + ".py"


def shape(value: Any) -> str:
    """The members of a value, whatever they hold: two inputs of one shape are one visit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{shape(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + shape(value[0] if value else None) + "]"
    return "."


def joined(*ways: tuple[int, ...]) -> tuple[int, ...]:
    """The calls of all the ways, each once, in their order."""
    return tuple(dict.fromkeys(number for way in ways for number in way))


def same(one: Call, other: Call) -> bool:
    return one.state == other.state and one.arguments == other.arguments


def put(answer: Json, chain: tuple[str, ...], value: Any) -> None:
    """Puts the value where something stands already; what is not written is not made up."""
    for name in chain[:-1]:
        answer = answer.get(name, {})
    if chain[-1] in answer:
        answer[chain[-1]] = value


def missing(value: Any, chain: list[str]) -> bool:
    for name in chain:
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, dict) or name not in value:
            return True
        value = value[name]
    return False
