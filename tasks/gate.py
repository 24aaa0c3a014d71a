"""The choices around training: whether to train, and stage 8, Better than the live model?"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import State, choice, function, sdk


def train_a_model(train: State, keep: State) -> State:
    """Goes on to `train`, or to `keep` when the input asks for the training sets alone."""
    return choice(
        "Train a model?",
        comment(6, "To the end when the input asks for the training sets alone."),
        [(sdk.ChoiceRule.BooleanEquals("$.run.options.train", False), keep)],
        otherwise=train,
    )


def better_than_live(publish: State, keep: State) -> State:
    """The first state. `$.judgement.answer` = {publish, reason, challenger, champion} from
    evaluation.json; goes on to `publish`, or to `keep` with the live endpoint untouched."""
    judge = function(
        "Judge model",
        "${JudgeModelArn}",
        {"run.$": "$.run", "training.$": "$.training"},
        comment=comment(8, "Compares the new model with the live one, on the same holdout."),
        result_path="$.judgement",
        timeout_seconds=60,
    )
    judge.next(
        choice(
            "Better than the live model?",
            comment(8, "Publishes, or ends well with the live model as it is."),
            [(sdk.ChoiceRule.BooleanEquals("$.judgement.answer.publish", True), publish)],
            otherwise=keep,
        )
    )
    return judge
