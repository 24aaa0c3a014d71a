"""The choices around training: whether to train, and stage 8, Better than the live model?"""

from __future__ import annotations

from tasks.states import LambdaTask, State, function, sdk


def train_a_model(train: State, keep: State) -> State:
    """Goes on to `train`, or to `keep` when the input asks for the training sets alone."""
    choice = sdk.Choice("Train a model?")
    choice.add_choice(sdk.ChoiceRule.BooleanEquals("$.run.options.train", False), next_step=keep)
    choice.default_choice(train)
    return choice


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
