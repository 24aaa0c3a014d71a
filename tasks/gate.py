"""The choices around training: whether to train, and stage 8, Better than the live model?"""

from __future__ import annotations

from tasks.publish import CONTAINER
from tasks.stages import comment
from tasks.states import State, choice, function, sdk

APPROVAL_SECONDS = 60


def train_a_model(tune: State, train: State, keep: State) -> State:
    """Goes on to `train`, to `tune` before it when the input says so, or to `keep` when it asks for
    the training sets alone."""
    tune.next(train)
    rule = sdk.ChoiceRule
    return choice(
        "Train a model?",
        comment(6, "To the end when the input asks for the training sets alone."),
        [
            (rule.BooleanEquals("$.run.options.train", False), keep),
            (rule.IsNull("$.run.options.tune", False), tune),
        ],
        otherwise=train,
    )


def better_than_live(publish: State, keep: State) -> State:
    """The first state. `$.judgement.answer` = {publish, waits, reason, ...} from evaluation.json
    and the Model Registry; goes on to `publish`, or to `keep` with the live endpoint untouched."""
    judge = function(
        "Judge model",
        "${JudgeModelArn}",
        {"state.$": "$", "container": CONTAINER},
        comment=comment(8, "Compares the new model with the live one, and registers it."),
        result_path="$.judgement",
        timeout_seconds=60,
    )
    wait = sdk.Wait(
        "Wait for approval",
        comment=comment(8, "Until somebody approves or rejects the model in the registry."),
        seconds=APPROVAL_SECONDS,
    )
    wait.next(judge)
    judge.next(
        choice(
            "Better than the live model?",
            comment(8, "Publishes, or ends well with the live model as it is."),
            [
                (sdk.ChoiceRule.BooleanEquals("$.judgement.answer.publish", True), publish),
                (sdk.ChoiceRule.BooleanEquals("$.judgement.answer.waits", True), wait),
            ],
            otherwise=keep,
        )
    )
    return judge
