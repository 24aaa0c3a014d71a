"""DataBrew recipe jobs as states.

StartJobRun takes nothing but a name, so a run's input table and output prefix are set just before
it. Another execution could do the same in between: what the job really read and wrote is compared
afterwards, and a run that was re-aimed fails by name instead of building on foreign data.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.states import TRANSIENT, DataBrewTask, Fail, Json, State, backoff, sdk, task

JOB_TIMEOUT_MINUTES = 60
MAX_NODES = 5


@dataclass(frozen=True)
class Source:
    """A DataBrew dataset that is pointed at the run's table `<table>_<run>` for each run."""

    dataset: str
    table: str


def recipe_job(
    title: str, job_name: str, output: str, source: Source | None = None
) -> tuple[State, State]:
    """(first, last) state of one job, all named after `title`.

    `output` is the prefix below `runs/run=<run>/`. Afterwards `$.job` is {run_id, seconds, key}.
    Without `source` the job reads what its dataset always reads.
    """
    key = f"States.Format('runs/run={{}}/{output}/', $.run.id)"
    aim = _aim(title, job_name, key)
    run = _run(title, job_name)
    expected: Json = {"key.$": key, "actual_key.$": "$.job.key"}
    compare = sdk.Choice(f"{title}: into this run?")
    ours = sdk.ChoiceRule.StringEqualsPath("$.expected.key", "$.expected.actual_key")
    first, before_comparison = aim, run
    if source is not None:
        first = _point(title, source)
        first.next(aim)
        before_comparison = _look_at_dataset(title, source)
        run.next(before_comparison)
        expected |= {"table.$": _table(source), "actual_table.$": "$.dataset.table"}
        same_table = sdk.ChoiceRule.StringEqualsPath("$.expected.table", "$.expected.actual_table")
        ours = sdk.ChoiceRule.And([ours, same_table])
    expect = sdk.Pass(f"{title}: expected", parameters=expected, result_path="$.expected")
    foreign = Fail(
        f"{title}: another run's",
        error="DataBrewJobReAimed",
        cause=f"Another execution re-aimed DataBrew job {job_name} at the same time; "
        "what it read or wrote is not this run's. Start this execution again.",
    )
    done = sdk.Pass(f"{title}: done")
    aim.next(run)
    before_comparison.next(expect)
    expect.next(compare)
    compare.add_choice(ours, done)
    compare.default_choice(foreign)
    return first, done


def _table(source: Source) -> str:
    return f"States.Format('{source.table}_{{}}', $.run.id)"


def _point(title: str, source: Source) -> State:
    return task(
        f"{title}: point dataset",
        "aws-sdk:databrew:updateDataset",
        parameters={
            "Name": source.dataset,
            "Input": {
                "DataCatalogInputDefinition": {
                    "DatabaseName": "${Database}",
                    "TableName.$": _table(source),
                }
            },
        },
        result_selector={"name.$": "$.Name"},
        result_path="$.dataset",
        timeout_seconds=60,
    )


def _look_at_dataset(title: str, source: Source) -> State:
    return task(
        f"{title}: look at dataset",
        "aws-sdk:databrew:describeDataset",
        parameters={"Name": source.dataset},
        result_selector={"table.$": "$.Input.DataCatalogInputDefinition.TableName"},
        result_path="$.dataset",
        timeout_seconds=60,
    )


def _aim(title: str, job_name: str, key: str) -> State:
    return task(
        f"{title}: aim job",
        "aws-sdk:databrew:updateRecipeJob",
        parameters={
            "Name": job_name,
            "RoleArn": "${DataBrewRoleArn}",
            "MaxCapacity": MAX_NODES,
            "Timeout": JOB_TIMEOUT_MINUTES,
            "Outputs": [
                {
                    "Format": "PARQUET",
                    "CompressionFormat": "SNAPPY",
                    "Location": {"Bucket": "${LakeBucket}", "Key.$": key},
                    # A second attempt replaces what the first one left.
                    "Overwrite": True,
                }
            ],
        },
        result_selector={"name.$": "$.Name"},
        result_path="$.job",
        timeout_seconds=60,
    )


def _run(title: str, job_name: str) -> State:
    state = DataBrewTask(
        title,
        parameters={"Name": job_name},
        result_selector={
            "run_id.$": "$.RunId",
            "seconds.$": "$.ExecutionTime",
            "key.$": "$.Outputs[0].Location.Key",
        },
        result_path="$.job",
        timeout_seconds=JOB_TIMEOUT_MINUTES * 60 + 300,
    )
    state.add_retry(backoff(TRANSIENT["databrew"]))
    return state
