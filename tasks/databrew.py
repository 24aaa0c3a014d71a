"""DataBrew recipe jobs as states: each run makes jobs of its own.

StartJobRun takes nothing but a name. A job that all runs share would have to be pointed at a
run's input and output just before it starts, and a redrive, which begins at the start alone,
would run it wherever another run had pointed it since. So a run makes its jobs (and a dataset,
where the input is its own), and the start of a later run clears away those of old runs
(`tasks/functions/databrew_leftovers.py`). A redrive that finds its job cleared away makes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.states import (
    TRANSIENT,
    Catch,
    DataBrewTask,
    Json,
    State,
    backoff,
    jsonata,
    keeping,
    task,
)

JOB_TIMEOUT_MINUTES = 60
MAX_NODES = 5
EXISTS = ["DataBrew.ConflictException"]
GONE = ["DataBrew.ResourceNotFoundException"]


@dataclass(frozen=True)
class RecipeJob:
    """What a job does: `recipe` as the template calls it, `output` a folder below the run's
    prefix, `dataset` a name that may hold `{}` for the run's, `by` the columns that it is
    partitioned by."""

    recipe: str
    output: str
    dataset: str
    by: tuple[str, ...] = ()


def recipe_job(
    made: str, run: str, job: RecipeJob, comments: tuple[str, str], dataset: State | None = None
) -> tuple[State, State]:
    """(first, last): the job is made, or is there from an earlier try, and run to its end.

    With `dataset`, the state that makes the job's input, that one is first. (A job's recipe and
    dataset cannot be deleted while there is the job, so what is made anew can be started.)
    """
    name = f"States.Format('${{{job.recipe}JobName}}-{{}}', $.run.name)"
    make = task(
        made,
        "aws-sdk:databrew:createRecipeJob",
        comment=comments[0],
        parameters={
            "Name.$": name,
            **_name("DatasetName", job.dataset),
            "RecipeReference": {
                "Name": f"${{{job.recipe}Recipe}}",
                "RecipeVersion": f"${{{job.recipe}Version}}",
            },
            "RoleArn": "${DataBrewRoleArn}",
            "MaxCapacity": MAX_NODES,
            "Timeout": JOB_TIMEOUT_MINUTES,
            "Outputs": [
                {
                    "Format": "PARQUET",
                    "CompressionFormat": "SNAPPY",
                    "Location": {
                        "Bucket": "${LakeBucket}",
                        "Key.$": f"States.Format('runs/run={{}}/{job.output}/', $.run.id)",
                    },
                    **({"PartitionColumns": list(job.by)} if job.by else {}),
                    # A second try replaces what the first one left.
                    "Overwrite": True,
                }
            ],
        },
        timeout_seconds=60,
    )
    start = DataBrewTask(
        run,
        comment=comments[1],
        query_language="JSONata",
        parameters={"Name": jsonata(f"'${{{job.recipe}JobName}}-' & $states.input.run.name")},
        output=keeping("job", "'run_id': $states.result.RunId"),
        timeout_seconds=JOB_TIMEOUT_MINUTES * 60 + 300,
    )
    start.add_retry(backoff(TRANSIENT["databrew"]))
    make.add_catch(Catch(error_equals=EXISTS, next_step=start, result_path=None))
    make.next(start)
    first = make
    if dataset is not None:
        first = dataset
        dataset.add_catch(Catch(error_equals=EXISTS, next_step=make, result_path=None))
        dataset.next(make)
    start.add_catch(Catch(error_equals=GONE, next_step=first, output=jsonata("$states.input")))
    return first, start


def make_dataset(name: str, dataset: str, table_path: str, comment: str) -> State:
    """The dataset of a table of the run's own."""
    return task(
        name,
        "aws-sdk:databrew:createDataset",
        comment=comment,
        parameters={
            **_name("Name", dataset),
            "Input": {
                "DataCatalogInputDefinition": {
                    "DatabaseName": "${Database}",
                    "TableName.$": table_path,
                }
            },
        },
        timeout_seconds=60,
    )


def _name(member: str, text: str) -> Json:
    """`text` as a parameter; `{}` in it is the run's name."""
    if "{}" not in text:
        return {member: text}
    return {f"{member}.$": f"States.Format('{text}', $.run.name)"}
