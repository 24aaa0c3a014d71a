"""Stage 2, Crawl raw data: a shop's own files become the five tables, by the deployment's mapping.

What runs depends on the mapping, the definition does not: the statements come with the functions'
package, and without a mapping there are none.
"""

from __future__ import annotations

from tasks.athena import FIGURES, QUERY_TIMEOUT_SECONDS, RUN, request
from tasks.stages import comment
from tasks.states import Map, State, function, jsonata, jsonata_task, keeping, of_this_try

ITEM = "$states.input"
TRY = of_this_try("_")
MARK = "<try>"  # in a folder's name: what only the state knows


def map_source_files(then: State) -> State:
    """The first of the states; `$.mapping` then has the mapping's `sha256`, the `folder` of its
    tables and each statement's figures."""
    plan = function(
        "Plan mapping",
        "${PlanMappingArn}",
        {"run.$": "$.run"},
        comment=comment(2, "Whether the files are those of the mapping, and what is to be run."),
        result_path="$.mapping",
        timeout_seconds=900,
    )
    run = jsonata_task(
        "Run mapping statement",
        RUN,
        comment=comment(2, "A table over files, or one of the five tables, as Parquet."),
        arguments=request(
            jsonata(f"$replace({ITEM}.sql, '{MARK}', {TRY})"),
            f"{ITEM}.folder & '/' & {ITEM}.name",
            "${RawDatabase}",
        ),
        output=jsonata(
            f"{{'name': {ITEM}.name, 'table': {ITEM}.table, {FIGURES},"
            f" 'dataset': {ITEM}.dataset ? {ITEM}.dataset & {TRY} : null}}"
        ),
        timeout_seconds=QUERY_TIMEOUT_SECONDS,
    )
    each = Map(
        "Map source files",
        comment(2, "One statement after the other; none, where the files are the five tables."),
        items=jsonata("$states.input.mapping.answer.statements"),
        output=keeping(
            "mapping",
            "'sha256': $states.input.mapping.answer.sha256,"
            " 'folder': $states.input.mapping.answer.folder,"
            " 'rows': $states.input.mapping.answer.rows, 'statements': $states.result",
        ),
        most_at_once=1,
    )
    each.attach(run)
    plan.next(each)
    each.next(then)
    return plan
