"""Stage 9, Publish: model and tables of one run go live together, or what was live comes back.

The endpoint is changed first, which takes minutes, then tried with the golden rows, then the views
are pointed at the run's tables, which takes seconds. Whatever fails from the change on is undone by
`Roll back`, which then fails as that did. A redrive begins there, and publishes again.
"""

from __future__ import annotations

from tasks import sql
from tasks.athena import run_statement
from tasks.features import parallel
from tasks.stages import comment
from tasks.states import (
    Catch,
    Json,
    State,
    choice,
    function,
    jsonata,
    jsonata_task,
    keeping,
    of_this_try,
    sdk,
)

POLL_SECONDS = 30
# What serves a model's archive.
CONTAINER: Json = {
    "Image": "${TrainingImage}",
    "Environment": {
        "SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "s3://${CodeBucket}/${InferenceCodeKey}",
    },
}
NAME = f"'${{NamePrefix}}' & $states.input.run.name & {of_this_try('-')}"
# What the functions need that change the endpoint: they are asked again until it has settled, and
# must know what they asked for before, and in which try.
EVENT: Json = {
    "state.$": "$",
    "execution.$": "$$.Execution",
    "entered_at.$": "$$.State.EnteredTime",
}


def publish(then: State) -> State:
    """The first state; goes on to `then` when the endpoint serves this run's model and has
    answered the golden rows, and the views show this run's tables."""
    model = _create_model()
    config = _create_endpoint_config()
    baskets = run_statement(
        "Define next baskets",
        sql.read("tables/next_baskets"),
        comment(9, "The catalog's name for what the model expects every customer to buy."),
        keep_at="next_baskets",
    )
    put = function(
        "Put model live",
        "${PutModelLiveArn}",
        EVENT,
        comment=comment(9, "Has the endpoint serve the model, or looks how far that is."),
        result_path="$.endpoint",
        timeout_seconds=60,
    )
    wait = sdk.Wait(
        "Wait for endpoint", comment=comment(9, "Gives SageMaker time."), seconds=POLL_SECONDS
    )
    smoke = function(
        "Smoke test",
        "${SmokeTestArn}",
        {"run.$": "$.run", "endpoint": "${EndpointName}"},
        comment=comment(9, "The endpoint answers the golden rows as training wrote them down."),
        result_path="$.smoke_test",
        timeout_seconds=300,
    )
    tables = parallel(
        "Publish tables",
        comment(9, "The model serves; views show the tables of its run."),
        {
            statement.name.split("/")[1]: run_statement(
                f"Publish {statement.name.split('/')[1]}",
                statement,
                comment(9, "Points the view at this run's table."),
            )
            for statement in sql.read_folder("publish")
        },
        result_path="$.published",
    )
    model.next(config)
    config.next(baskets)
    baskets.next(put)
    put.next(
        choice(
            "Serving?",
            comment(9, "On when the endpoint is in service with this run's model."),
            [(_settled("$.endpoint"), smoke)],
            otherwise=wait,
        )
    )
    wait.next(put)
    smoke.next(tables)
    tables.next(then)

    back = _roll_back(again=put)
    for state in (put, smoke, tables):
        state.add_catch(Catch(error_equals=["States.ALL"], next_step=back, result_path="$.failure"))
    return model


def _roll_back(again: State) -> State:
    """Puts back what was live, then fails as the state that was caught; after a redrive on to
    `again`."""
    back = function(
        "Roll back",
        "${RollBackArn}",
        EVENT,
        comment=comment(
            9, "Puts back what was live, then fails as it was told; a redrive publishes again."
        ),
        result_path="$.rolled_back",
        timeout_seconds=60,
    )
    wait = sdk.Wait(
        "Wait for roll back", comment=comment(9, "Gives SageMaker time."), seconds=POLL_SECONDS
    )
    back.next(
        choice(
            "Rolled back?",
            comment(9, "Looks again; on to publishing when the run was redriven."),
            [(_settled("$.rolled_back"), again)],
            otherwise=wait,
        )
    )
    wait.next(back)
    return back


def _settled(path: str) -> object:
    return sdk.ChoiceRule.BooleanEquals(f"{path}.answer.settled", True)


def _create_model() -> State:
    return jsonata_task(
        "Create model",
        "sagemaker:createModel",
        comment=comment(9, "SageMaker's name for the artifact and the code that serves it."),
        arguments={
            "ModelName": jsonata(NAME),
            "ExecutionRoleArn": "${SageMakerRoleArn}",
            "PrimaryContainer": {
                **CONTAINER,
                "ModelDataUrl": jsonata("$states.input.training.model_uri"),
            },
        },
        output=keeping("model", f"'name': {NAME}"),
        timeout_seconds=120,
    )


def _create_endpoint_config() -> State:
    return jsonata_task(
        "Create endpoint config",
        "sagemaker:createEndpointConfig",
        comment=comment(9, "Which model, on which machine or on none."),
        arguments={
            "EndpointConfigName": jsonata(NAME),
            "ProductionVariants": jsonata(
                "[$merge([{'VariantName': 'live', 'ModelName': $states.input.model.name,"
                " 'InitialVariantWeight': 1}, '${EndpointKind}' = 'serverless'"
                " ? {'ServerlessConfig': {'MemorySizeInMB': $number('${EndpointMemoryMegabytes}'),"
                " 'MaxConcurrency': $number('${EndpointConcurrency}')}}"
                " : {'InitialInstanceCount': 1, 'InstanceType': '${EndpointInstanceType}'}])]"
            ),
        },
        output=keeping("endpoint_config", f"'name': {NAME}"),
        timeout_seconds=120,
    )
