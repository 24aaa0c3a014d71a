"""`local_aws`: with a block, on a function, on a class, or by `start` and `stop`."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, overload

from localaws.testing.running import Options, Running

Target = TypeVar("Target", bound=Callable[..., Any])

# A process holds one AWS at a time; a block within another one shares it, as moto's do.
_open: list[Running] = []


class LocalAwsContext:
    """One local AWS, fresh at the beginning of each block, function or test method."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Running:
        if _open:
            running = _open[-1]
        else:
            running = Running(self._options)
            running.start()
        _open.append(running)
        return running

    def stop(self) -> None:
        running = _open.pop()
        if not _open:
            running.stop()

    def __call__(self, target: Target) -> Target:
        """`target` with a local AWS while it runs; of a class, while each of its tests runs."""
        if inspect.isclass(target):
            self._around_tests(target)
            return target
        if inspect.iscoroutinefunction(target):

            @functools.wraps(target)
            async def awaited(*positional: Any, **named: Any) -> Any:
                with self:
                    return await target(*positional, **named)

            return awaited  # type: ignore[return-value]

        @functools.wraps(target)
        def called(*positional: Any, **named: Any) -> Any:
            with self:
                return target(*positional, **named)

        return called  # type: ignore[return-value]

    def _around_tests(self, target: type) -> None:
        if issubclass(target, unittest.TestCase):
            set_up = target.setUp

            def begin(test: unittest.TestCase) -> None:
                self.start()
                test.addCleanup(self.stop)
                set_up(test)

            target.setUp = begin  # type: ignore[assignment, method-assign]
            return
        for name, method in vars(target).copy().items():
            if name.startswith("test") and inspect.isfunction(method):
                setattr(target, name, self(method))


@overload
def local_aws(target: Target, /) -> Target: ...


@overload
def local_aws(
    *,
    region: str | None = None,
    wait_scale: float = 0.0,
    policies: str = "off",
    home: Path | None = None,
) -> LocalAwsContext: ...


def local_aws(target: Any = None, /, **options: Any) -> Any:
    """A local AWS for a block (`with local_aws() as aws:`), a function or a class (`@local_aws`).

    Options are those of `Options`. Clients must be made within: they find it by the environment.
    """
    context = LocalAwsContext(Options(**options))
    return context if target is None else context(target)
