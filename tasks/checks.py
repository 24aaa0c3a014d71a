"""Stage 3, Check raw data, and the same look at the files after they have been read.

The manifest of the plan says what a run is made of. Files that change before a run has read them
would make that a lie: then the run goes back to its plan.
"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import Catch, Json, State, function

CHANGED = ["FilesChanged"]


def check_raw_data(then: State, again: State) -> State:
    """Fails with RawDataCheckFailed, whose cause has the check's name, the count and a sample.

    Goes on to `then`, or to `again` when the files are not those of the plan: a new upload, or a
    file that was mended before a redrive.
    """
    return _look(
        "Check raw data",
        comment(3, "Every rule about the raw files and tables, as SQL; back if files changed."),
        {"run.$": "$.run", "mapping.$": "$.mapping"},
        "$.checks",
        then,
        again,
    )


def look_again(then: State, again: State) -> State:
    """After cleaning, which reads the raw files for the last time: makes the clean tables whole.
    Fails with RowsLost when these have not the rows that were checked."""
    return _look(
        "Look at raw files again",
        comment(4, "Puts together what was cleaned and what is taken over; back if files changed."),
        {
            "run.$": "$.run",
            "mapping.$": "$.mapping",
            "cleaned": {"rows.$": "$.checks.answer.rows"},
        },
        "$.raw",
        then,
        again,
    )


def _look(
    name: str, said: str, payload: Json, result_path: str, then: State, again: State
) -> State:
    state = function(
        name,
        "${CheckRawDataArn}",
        payload,
        comment=said,
        result_path=result_path,
        timeout_seconds=900,
    )
    state.add_catch(Catch(error_equals=CHANGED, next_step=again, result_path=None))
    state.next(then)
    return state
