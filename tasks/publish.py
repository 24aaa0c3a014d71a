"""Stage 9, Publish: model and tables of one run go live together, or what was live comes back.

The endpoint is changed first, which takes minutes, then tried with the golden rows, then the views
are pointed at the run's tables, which takes seconds. Whatever fails from the change on is undone by
`Roll back`, which then fails as that did. A redrive begins there, and publishes again. Both look
again and again how far the endpoint is, and count in one place, `$.endpoint.answer`.
"""

from __future__ import annotations

from tasks import sql
from tasks.athena import by_name, run_item, run_statement
from tasks.stages import comment
from tasks.states import (
    Catch,
    Json,
    Map,
    State,
    choice,
    function,
    jsonata,
    jsonata_task,
    keeping,
    of_this_try,
    sdk,
)

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
    back = function(
        "Roll back",
        "${RollBackArn}",
        EVENT,
        comment=comment(
            9, "Puts back what was live, then fails as it was told; a redrive publishes again."
        ),
        result_path="$.endpoint",
        timeout_seconds=60,
    )
    wait = sdk.Wait(
        "Wait for endpoint",
        comment=comment(9, "Gives SageMaker time to change the endpoint, or to change it back."),
        seconds_path="$.endpoint.answer.wait_seconds",
    )
    smoke = function(
        "Smoke test",
        "${SmokeTestArn}",
        {"run.$": "$.run", "endpoint": "${EndpointName}"},
        comment=comment(9, "The endpoint answers the golden rows as training wrote them down."),
        result_path="$.smoke_test",
        timeout_seconds=300,
    )
    tables = _publish_tables()
    model.next(config)
    config.next(baskets)
    baskets.next(put)
    put.next(wait)
    back.next(wait)
    holds = sdk.ChoiceRule.BooleanEquals
    wait.next(
        choice(
            "Serving?",
            comment(9, "On when the endpoint serves this run's model; else another look."),
            [
                (holds("$.endpoint.answer.settled", True), smoke),
                (holds("$.endpoint.answer.rolling_back", True), back),
            ],
            otherwise=put,
        )
    )
    smoke.next(tables)
    tables.next(then)

    for state in (put, smoke):
        state.add_catch(Catch(error_equals=["States.ALL"], next_step=back, result_path="$.failure"))
    kept = jsonata("$merge([$states.input, {'failure': $states.errorOutput}])")
    tables.add_catch(Catch(error_equals=["States.ALL"], next_step=back, output=kept))
    return model


def _publish_tables() -> Map:
    """The views of sql/publish/, at once; `$.published.<view>` has a statement's figures."""
    statements = sql.read_folder("publish")
    each = Map(
        "Publish tables",
        comment(9, "The model serves; views show the tables of its run."),
        items=[{"name": one.base, "sql": one.query_string()} for one in statements],
        output=by_name("published"),
        most_at_once=len(statements),
    )
    each.attach(
        run_item("Publish table", "publish", comment(9, "Points a view at this run's table."))
    )
    return each


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
                " : {'InitialInstanceCount': $number('${EndpointInstancesMin}'),"
                " 'InstanceType': '${EndpointInstanceType}'}])]"
            ),
        },
        output=keeping("endpoint_config", f"'name': {NAME}"),
        timeout_seconds=120,
    )
