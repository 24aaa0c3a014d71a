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
    State,
    backoff,
    jsonata,
    jsonata_task,
    keeping,
)

JOB_TIMEOUT_MINUTES = 60
MAX_NODES = 5
EXISTS = ["DataBrew.ConflictException"]
GONE = ["DataBrew.ResourceNotFoundException"]
INPUT = jsonata("$states.input")
# For what a run reads anew (tasks/functions/increments.py).
NODES_OF_NEW = jsonata("$states.input.run.increment.nodes")


@dataclass(frozen=True)
class RecipeJob:
    """A job as its requests have it, each member a text or JSONata: `folder` is where in the lake
    it writes, `by` the columns that its output is partitioned by, `nodes` how many may work."""

    name: str
    dataset: str
    recipe: str
    version: str
    folder: str
    by: tuple[str, ...] = ()
    nodes: int | str = MAX_NODES


def of_run(prefix: str) -> str:
    """What a run names its own after: `<prefix>-<run>`."""
    return jsonata(f"'{prefix}-' & $states.input.run.name")


def below_run(folder: str) -> str:
    """A folder of the run, as an object's key."""
    return jsonata(f"'runs/run=' & $states.input.run.id & '/{folder}/'")


def recipe_job(
    made: str, run: str, job: RecipeJob, comments: tuple[str, str], dataset: State | None = None
) -> tuple[State, State]:
    """(first, last): the job is made, or is there from an earlier try, and run to its end.

    With `dataset`, the state that makes the job's input, that one is first. (A job's recipe and
    dataset cannot be deleted while there is the job, so what is made anew can be started.)
    """
    make = jsonata_task(
        made,
        "aws-sdk:databrew:createRecipeJob",
        comment=comments[0],
        arguments={
            "Name": job.name,
            "DatasetName": job.dataset,
            "RecipeReference": {"Name": job.recipe, "RecipeVersion": job.version},
            "RoleArn": "${DataBrewRoleArn}",
            "MaxCapacity": job.nodes,
            "Timeout": JOB_TIMEOUT_MINUTES,
            "Outputs": [
                {
                    "Format": "PARQUET",
                    "CompressionFormat": "SNAPPY",
                    "Location": {"Bucket": "${LakeBucket}", "Key": job.folder},
                    **({"PartitionColumns": list(job.by)} if job.by else {}),
                    # A second try replaces what the first one left.
                    "Overwrite": True,
                }
            ],
        },
        output=INPUT,
        timeout_seconds=60,
    )
    start = run_job(run, job.name, comments[1], keeping("job", "'run_id': $states.result.RunId"))
    first = make if dataset is None else dataset
    if dataset is not None:
        dataset.add_catch(Catch(error_equals=EXISTS, next_step=make, output=INPUT))
        dataset.next(make)
    make.add_catch(Catch(error_equals=EXISTS, next_step=start, output=INPUT))
    make.next(start)
    start.add_catch(Catch(error_equals=GONE, next_step=first, output=INPUT))
    return first, start


def run_job(name: str, job: str, comment: str, output: str) -> DataBrewTask:
    """The state that runs a job, a recipe's or a profile's, and waits for its end; `job` and
    `output` are JSONata."""
    state = DataBrewTask(
        name,
        comment=comment,
        query_language="JSONata",
        parameters={"Name": job},
        output=output,
        timeout_seconds=JOB_TIMEOUT_MINUTES * 60 + 300,
    )
    state.add_retry(backoff(TRANSIENT["databrew"]))
    return state


def make_dataset(name: str, dataset: str, table: str, comment: str) -> State:
    """The dataset of a table of the run's own; both are JSONata."""
    return jsonata_task(
        name,
        "aws-sdk:databrew:createDataset",
        comment=comment,
        arguments={
            "Name": dataset,
            "Input": {
                "DataCatalogInputDefinition": {"DatabaseName": "${Database}", "TableName": table}
            },
        },
        output=INPUT,
        timeout_seconds=60,
    )
