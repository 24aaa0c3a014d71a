"""Stage 9, Publish: the model behind the endpoint, tried before anyone relies on it.

SageMaker has no `.sync` for endpoints. An update keeps the old configuration serving until the
new one is in service; a smoke test that fails afterwards puts the old one back.
"""

from __future__ import annotations

from tasks.states import Json, State, failure, function, sdk, task

POLL_SECONDS = 30
MAX_LOOKS = 120  # an hour: SageMaker itself gives up on a container within that time

MODEL = {"ModelName.$": "$.run.names.model"}
ENDPOINT = {"EndpointName": "${EndpointName}"}
CONFIG = {"EndpointConfigName.$": "$.run.names.endpoint_config"}
SEEN: Json = {"status.$": "$.EndpointStatus", "config.$": "$.EndpointConfigName"}


def publish(then: State, on_failure: State) -> State:
    """The first state; goes on to `then` when the endpoint serves this run's model and has
    answered the golden rows, else to `on_failure` with the previous model serving again."""
    model = task(
        "Create model",
        "sagemaker:createModel",
        parameters={
            **MODEL,
            "ExecutionRoleArn": "${SageMakerRoleArn}",
            "PrimaryContainer": {
                "Image": "${TrainingImage}",
                "ModelDataUrl.$": "$.training.model_uri",
                "Environment": {
                    "SAGEMAKER_PROGRAM": "serve.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "s3://${CodeBucket}/${InferenceCodeKey}",
                },
            },
        },
        result_selector={"arn.$": "$.ModelArn"},
        result_path="$.model",
        timeout_seconds=120,
    )
    config = task(
        "Create endpoint config",
        "sagemaker:createEndpointConfig",
        parameters={
            **CONFIG,
            "ProductionVariants": [
                {
                    "VariantName": "live",
                    **MODEL,
                    "InitialInstanceCount": 1,
                    "InstanceType": "${EndpointInstanceType}",
                    "InitialVariantWeight": 1,
                }
            ],
        },
        result_selector={"arn.$": "$.EndpointConfigArn"},
        result_path="$.endpoint_config",
        timeout_seconds=120,
    )
    begin = sdk.Pass("Begin looking", result={"looks": 0}, result_path="$.watch")
    look = _describe("Look at endpoint")
    missing = sdk.Choice("No endpoint yet?")
    state = sdk.Choice("What state is it in?")
    create = _change("Create endpoint", "createEndpoint")
    update = _change("Update endpoint", "updateEndpoint")
    delete = task(
        "Delete failed endpoint",
        "aws-sdk:sagemaker:deleteEndpoint",
        parameters=ENDPOINT,
        result_selector={},
        result_path="$.deleted",
        timeout_seconds=120,
    )
    wait = sdk.Wait("Wait for endpoint", seconds=POLL_SECONDS)
    busy = sdk.Wait("Wait for other change", seconds=POLL_SECONDS)
    failed_look = failure("Endpoint unknown", "EndpointUnknown", "$.missing.Cause")
    watch, count = _watch("Watch endpoint")
    smoke = function(
        "Smoke test",
        "${SmokeTestArn}",
        {"run.$": "$.run", "endpoint": "${EndpointName}"},
        result_path="$.smoke_test",
        timeout_seconds=300,
    )
    in_service = sdk.Choice("Does it serve this model?")
    not_serving = failure(
        "Endpoint did not change",
        "EndpointDidNotChange",
        "States.Format('Endpoint ${EndpointName} is {} with configuration {}. {}', "
        "$.seen.status, $.seen.config, States.JsonToString($.seen.reason))",
    )

    model.next(config)
    config.next(begin)
    begin.next(look)
    look.next(state)
    # DescribeEndpoint models no error for a missing endpoint: only the text tells.
    look.add_catch(
        sdk.Catch(
            error_equals=["SageMaker.SageMakerException"],
            next_step=missing,
            result_path="$.missing",
        )
    )
    rule = sdk.ChoiceRule
    missing.add_choice(rule.StringMatches("$.missing.Cause", "*Could not find endpoint*"), create)
    missing.default_choice(failed_look)
    status = "$.endpoint.status"
    state.add_choice(
        rule.Or(
            [rule.StringEquals(status, "InService"), rule.StringEquals(status, "OutOfService")]
        ),
        update,
    )
    state.add_choice(rule.StringEquals(status, "Failed"), delete)
    state.default_choice(busy)
    delete.next(busy)
    busy.next(look)
    create.next(wait)
    update.next(wait)
    wait.next(count)
    count.next(watch)
    watch.next(in_service)

    serving = rule.And(
        [
            rule.StringEquals("$.seen.status", "InService"),
            rule.StringEqualsPath("$.seen.config", "$.run.names.endpoint_config"),
        ]
    )
    in_service.add_choice(serving, smoke)
    in_service.add_choice(_settled(), not_serving)
    in_service.default_choice(wait)
    smoke.next(then)

    undo = _roll_back(on_failure)
    smoke.add_catch(sdk.Catch(error_equals=["States.ALL"], next_step=undo, result_path="$.failure"))
    failed_look.next(on_failure)
    not_serving.next(on_failure)
    return model


def _roll_back(on_failure: State) -> State:
    """Puts the previous configuration back, or takes away an endpoint that never worked."""
    rule = sdk.ChoiceRule
    had = sdk.Choice("Was there a model before?")
    back = task(
        "Roll back endpoint",
        "sagemaker:updateEndpoint",
        parameters={
            **ENDPOINT,
            "EndpointConfigName.$": "$.live.answer.endpoint_config",
        },
        result_selector={"arn.$": "$.EndpointArn"},
        result_path="$.rolled_back",
        timeout_seconds=120,
    )
    wait = sdk.Wait("Wait for roll back", seconds=POLL_SECONDS)
    watch, count = _watch("Watch roll back")
    done = sdk.Choice("Rolled back?")
    remove = task(
        "Delete endpoint",
        "aws-sdk:sagemaker:deleteEndpoint",
        parameters=ENDPOINT,
        result_selector={},
        result_path="$.rolled_back",
        timeout_seconds=120,
    )
    # A first endpoint that fails its test is taken away; afterwards there is none, as before.
    had.add_choice(rule.IsNull("$.live.answer.endpoint_config", True), remove)
    had.default_choice(back)
    back.next(wait)
    wait.next(count)
    count.next(watch)
    watch.next(done)
    done.add_choice(_settled(), on_failure)
    done.default_choice(wait)
    remove.next(on_failure)
    for state in (back, watch, remove):
        # The run goes on failing with why it was rolled back, not with what came of that.
        state.add_catch(
            sdk.Catch(
                error_equals=["States.ALL"],
                next_step=on_failure,
                result_path="$.roll_back_failure",
            )
        )
    return had


def _settled() -> object:
    """The endpoint is not changing any more, or we have looked long enough."""
    rule = sdk.ChoiceRule
    return rule.Or(
        [
            rule.StringEquals("$.seen.status", "InService"),
            rule.StringEquals("$.seen.status", "OutOfService"),
            rule.StringEquals("$.seen.status", "Failed"),
            rule.StringEquals("$.seen.status", "UpdateRollbackFailed"),
            rule.NumericGreaterThanEquals("$.watch.looks", MAX_LOOKS),
        ]
    )


def _describe(name: str) -> State:
    return task(
        name,
        "aws-sdk:sagemaker:describeEndpoint",
        parameters=ENDPOINT,
        result_selector=SEEN,
        result_path="$.endpoint",
        timeout_seconds=60,
        # A missing endpoint and a throttled call have the same error name.
        retry_on=["SageMaker.SdkClientException", "States.Timeout"],
    )


def _watch(name: str) -> tuple[State, State]:
    """(the look, the state before it that counts looks)."""
    look = task(
        name,
        "aws-sdk:sagemaker:describeEndpoint",
        parameters=ENDPOINT,
        # The reason is there only after a failure; `..` gives a list either way.
        result_selector={**SEEN, "reason.$": "$..FailureReason"},
        result_path="$.seen",
        timeout_seconds=60,
    )
    count = sdk.Pass(
        f"{name} again",
        parameters={"looks.$": "States.MathAdd($.watch.looks, 1)"},
        result_path="$.watch",
    )
    return look, count


def _change(name: str, action: str) -> State:
    return task(
        name,
        f"sagemaker:{action}",
        parameters={**ENDPOINT, **CONFIG},
        result_selector={"arn.$": "$.EndpointArn"},
        result_path="$.changed",
        timeout_seconds=120,
    )
