"""Stage 8, Better than the live model?: both scored on this run's holdout."""

from __future__ import annotations

from tasks.states import LambdaTask, State, function, sdk


def judge_model() -> LambdaTask:
    """`$.judgement.answer` = {publish, reason, challenger, champion} from evaluation.json."""
    return function(
        "Judge model",
        "${JudgeModelArn}",
        {"run.$": "$.run", "training.$": "$.training"},
        result_path="$.judgement",
        timeout_seconds=60,
    )


def better_than_live(publish: State, keep: State) -> State:
    """Goes on to `publish`, or to `keep` with the live endpoint untouched."""
    choice = sdk.Choice("Better than the live model?")
    choice.add_choice(
        sdk.ChoiceRule.BooleanEquals("$.judgement.answer.publish", True), next_step=publish
    )
    choice.default_choice(keep)
    return choice
