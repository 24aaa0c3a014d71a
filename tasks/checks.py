"""Stage 3, Check raw data: the checks of sql/checks through Athena, before anything is built."""

from __future__ import annotations

from tasks.states import LambdaTask, function


def check_raw_data() -> LambdaTask:
    """Fails with RawDataCheckFailed, whose cause has the check's name, the count and a sample."""
    return function(
        "Check raw data",
        "${CheckRawDataArn}",
        {"run.$": "$.run"},
        result_path="$.checks",
        timeout_seconds=900,
    )
