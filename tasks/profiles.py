"""Stage 4, Clean with DataBrew: the raw and clean tables profiled, when the input asks for it."""

from __future__ import annotations

from tasks.databrew import run_job
from tasks.stages import comment
from tasks.states import Map, State, function, jsonata

ITEM = "$states.input"


def profile_tables(then: State) -> State:
    """`$.profiles` then has what `tasks/functions/profiles.py` says of each table; none when the
    input does not ask. Fails with DataRulesBroken when one of databrew_rulesets/ does not hold."""
    profile = run_job(
        "Profile table",
        jsonata(f"{ITEM}.job"),
        comment(4, "DataBrew's profile of the table, and the report of its rules."),
        jsonata(
            f"{{'name': {ITEM}.name, 'job_run_id': $states.result.RunId,"
            " 'keys': [$states.result.Outputs.Location.Key]}"
        ),
    )
    profile.next(
        function(
            "Judge profile",
            "${CheckRawDataArn}",
            {"profiled.$": "$"},
            comment=comment(4, "Whether its rules hold, and what is not as in the last good run."),
            result_path="$.judged",
            timeout_seconds=900,
        )
    )
    each = Map(
        "Profile tables",
        comment(4, "The raw and the clean tables; none, unless the input asks for profiles."),
        items=jsonata("$states.input.raw.answer.profiles"),
        output=jsonata("$merge([$states.input, {'profiles': [$states.result.judged.answer]}])"),
        most_at_once=2,
    )
    each.attach(profile)
    each.next(then)
    return each
