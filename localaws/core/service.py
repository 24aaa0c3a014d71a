"""What a local service is: the operations it really does, and the parameters each one takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from localaws.errors import AwsError, NotEmulated
from localaws.identity.caller import Caller
from localaws.shapes import Json


@dataclass(frozen=True)
class Call:
    """One API call. `params` is spelled as in the botocore model."""

    service: str
    operation: str
    params: Json
    region: str
    account: str
    request_id: str
    caller: Caller
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Json | None]
Route = Callable[[Request], Response]
# A request that a page of another origin makes, and what answers it: None where no rule of the
# service's own lets the page in.
Pages = Callable[[Request, Callable[[], Response]], Response | None]


@dataclass(frozen=True)
class Operation:
    """A supported operation: our own handler, or None where moto's plain CRUD answers."""

    name: str
    handler: Handler | None
    parameters: frozenset[str] | None  # None: every parameter of the model


@dataclass(frozen=True)
class Records:
    """How what moto keeps of a service goes to disk and comes back: its backend as JSON."""

    keep: Callable[[Any], Json]
    restore: Callable[[Any, Json], None]


@dataclass
class Service:
    """One AWS service, by its botocore name; an operation that is not listed is refused by name."""

    name: str
    operations: dict[str, Operation] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)  # path prefix to handler, plain HTTP
    form: Route | None = None  # answers posted forms (multipart), which are no operation
    public: set[str] = field(default_factory=set)  # those of them that pages of any site may use
    pages: Pages | None = None  # what pages of other origins may do by rules of its resources
    lets_in: Callable[[str, Json], bool] = lambda operation, params: False  # who did not sign
    records: Records | None = None  # of what moto keeps
    check: Callable[[Call], None] = lambda call: None  # refuses values that are not done here
    starters: list[Callable[[], None]] = field(default_factory=list)
    stoppers: list[Callable[[], None]] = field(default_factory=list)
    notes: str = ""  # more of what it does and refuses, in Markdown, for the support matrix
    failure: str | None = None  # why it did not start: the answer to every call

    def operation(self, name: str, *parameters: str) -> Callable[[Handler], Handler]:
        """Registers a handler. `parameters` are the accepted ones; a dot goes into a member
        (`ResultConfiguration.OutputLocation`), lists and maps are transparent, and a name
        without further dots accepts everything below it."""

        def register(handler: Handler) -> Handler:
            self._add(Operation(name, handler, frozenset(parameters)))
            return handler

        return register

    def moto(self, records: Records, *names: str) -> None:
        """Operations that moto answers as they are, and how what it keeps of them is kept."""
        self.records = records
        for name in names:
            self._add(Operation(name, None, None))

    @property
    def in_moto(self) -> bool:
        """Whether moto answers (a part of) the service, and so has a state of it."""
        return self.records is not None

    def on_start(self, function: Callable[[], None]) -> Callable[[], None]:
        self.starters.append(function)
        return function

    def on_stop(self, function: Callable[[], None]) -> Callable[[], None]:
        self.stoppers.append(function)
        return function

    def stop(self) -> None:
        """Runs all stoppers in their order; raises what the last one that failed has raised."""
        with ExitStack() as stack:
            for stopper in reversed(self.stoppers):
                stack.callback(stopper)

    def check_started(self) -> None:
        """Raises ServiceUnavailable with the reason for a service that did not start."""
        if self.failure is not None:
            raise AwsError(
                "ServiceUnavailable",
                f"{self.name} of this local AWS did not start: {self.failure}",
                503,
            )

    def _add(self, operation: Operation) -> None:
        if operation.name in self.operations:
            raise ValueError(f"{self.name}:{operation.name} is registered twice.")
        self.operations[operation.name] = operation


def check_parameters(service: str, operation: Operation, params: Json) -> None:
    """Raises NotEmulated for the first given parameter that the operation does not take."""
    if operation.parameters is None:
        return
    for path in _given(params, ""):
        if not _accepted(path, operation.parameters):
            raise NotEmulated(service, operation.name, path)


def _given(value: object, path: str) -> Iterable[str]:
    """The dotted path of every member that carries a value."""
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _given(member, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for member in value:
            yield from _given(member, path)
    elif path:
        yield path


def _accepted(path: str, parameters: frozenset[str]) -> bool:
    names = path.split(".")
    return any(".".join(names[:depth]) in parameters for depth in range(1, len(names) + 1)) or any(
        parameter.startswith(path + ".") for parameter in parameters
    )
