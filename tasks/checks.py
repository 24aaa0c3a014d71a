"""Stage 3, Check raw data, and the same look at the files after they have been read.

The manifest of the plan says what a run is made of. Files that change before a run has read them
would make that a lie: then the run goes back to its plan.
"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import Json, State, choice, function, sdk

AS_PLANNED = "as_planned"


def check_raw_data(then: State, again: State) -> State:
    """Fails with RawDataCheckFailed, whose cause has the check's name, the count and a sample.

    Goes on to `then`, or to `again` when the files are not those of the plan: a new upload, or a
    file that was mended before a redrive.
    """
    check = _look(
        "Check raw data",
        comment(3, "Every rule about the raw files and tables, as SQL, before anything is built."),
        {"run.$": "$.run", "mapping.$": "$.mapping"},
        "$.checks",
        900,
    )
    check.next(
        _unchanged(
            "Files as planned?",
            comment(3, "Back to the plan when raw files have changed since."),
            "$.checks",
            then,
            again,
        )
    )
    return check


def look_again(then: State, again: State) -> State:
    """After cleaning, which reads the raw files for the last time: makes the clean tables whole.
    Fails with RowsLost when these have not the rows that were checked."""
    look = _look(
        "Look at raw files again",
        comment(4, "Whether what was cleaned are the files of the plan, with what is taken over."),
        {
            "run.$": "$.run",
            "mapping.$": "$.mapping",
            "cleaned": {"rows.$": "$.checks.answer.rows"},
        },
        "$.raw",
        900,
    )
    look.next(
        _unchanged(
            "Files still as planned?",
            comment(4, "Back to the plan when raw files have changed meanwhile."),
            "$.raw",
            then,
            again,
        )
    )
    return look


def _look(name: str, said: str, payload: Json, result_path: str, timeout_seconds: int) -> State:
    return function(
        name,
        "${CheckRawDataArn}",
        payload,
        comment=said,
        result_path=result_path,
        timeout_seconds=timeout_seconds,
    )


def _unchanged(name: str, said: str, result_path: str, then: State, again: State) -> State:
    rule = sdk.ChoiceRule.BooleanEquals(f"{result_path}.answer.{AS_PLANNED}", True)
    return choice(name, said, [(rule, then)], otherwise=again)
