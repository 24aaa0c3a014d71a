"""What a run needs of the one who drives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.language import Language
from localaws.stepfunctions.records import Execution
from localaws.stepfunctions.resources import Resources

Step = Callable[[], None]
Take = Callable[[str | None], dict[str, Any] | None]


class Host(Protocol):
    """Executions are named by their id. What a run writes it puts into its `Changes`; everything
    that is read here is as of the last commit."""

    region: str
    account: str
    languages: dict[str, Language]
    integrations: Integrations
    journal: Journal
    resources: Resources

    def now(self) -> float:
        """Epoch seconds."""

    @property
    def wait_scale(self) -> float:
        """What a second of Wait or retry lasts here."""

    def touch(self, execution: int) -> None:
        """The execution has changes to commit at the end of the round."""

    def soon(self, execution: int, step: Step, *, slow: bool) -> None:
        """Runs the step in the next round. One that is `slow` may evaluate what takes long: it
        runs aside, and only its execution waits for it."""

    def at(self, due: float, execution: int, step: Step, *, slow: bool) -> None:
        """Runs the step once the clock says `due`, if the execution still runs then."""

    def work(
        self,
        execution: int,
        call: Callable[[], Any],
        answered: Callable[[Any], None],
        *,
        slow: bool,
    ) -> None:
        """Makes a blocking call on a worker; `answered`, a step, gets its value or StateError."""

    def watch(self, service: str, job: str, wake: Step) -> None:
        """Runs `wake` as soon as the job's end is announced, even if that was before."""

    def offer(self, activity_arn: str, take: Take) -> None:
        """Offers an activity's task. `take(worker)`: the task, None where it no longer stands."""

    def announce(self, execution: Execution) -> None:
        """Publishes the execution's status."""

    def begin(self, executions: Sequence[Execution]) -> None:
        """Starts executions that are in the journal."""

    def redrive(self, executions: Sequence[Execution]) -> None:
        """Takes up executions that had ended, from where they failed."""

    def abort(self, executions: Sequence[Execution]) -> None:
        """Ends those that still run."""

    def ended(self, execution: Execution) -> None:
        """The execution's end is in the journal."""
