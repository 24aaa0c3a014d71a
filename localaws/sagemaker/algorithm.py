"""What the XGBoost image's own algorithm has and is not done here; image_training.py is what is."""

from __future__ import annotations

from localaws.core.service import Call
from localaws.errors import NotEmulated
from localaws.sagemaker.layout import TUNING_OBJECTIVE

HYPERPARAMETERS = frozenset(
    """
    _kfold _num_cv_round deterministic_histogram dsplit lambda_bias predictor
    prob_buffer_row process_type refresh_leaf save_model_on_termination sketch_eps updater
    use_dask_gpu_training
    """.split()  # noqa: SIM905 - a list a person can read
)
# The container's own, which it computes from predictions; XGBoost's own are here.
METRICS = frozenset(
    """
    accuracy balanced_accuracy f1 f1_binary f1_macro mse precision precision_macro
    precision_micro r2 recall recall_macro recall_micro
    """.split()  # noqa: SIM905 - a list a person can read
)
RECORDS = ("recordio-protobuf", "application/x-recordio-protobuf")
# What a container's variables may not say: other answers than one number a row.
VARIABLES = ("SAGEMAKER_INFERENCE_OUTPUT", "SAGEMAKER_INFERENCE_ENSEMBLE")


def check_training(call: Call) -> None:
    """NotEmulated, by name, for a job without a script that asks for what is not here."""
    given = call.params.get("HyperParameters", {})
    for name in sorted(HYPERPARAMETERS & set(given)):
        raise _refused(call, f"HyperParameters.{name}")
    asked = {part.strip() for part in given.get("eval_metric", "").split(",")}
    asked.add(given.get(TUNING_OBJECTIVE, "").rpartition(":")[2])
    for metric in sorted(METRICS & asked):
        raise _refused(call, f"HyperParameters.eval_metric={metric}", "XGBoost's own are here.")
    for channel in call.params.get("InputDataConfig", []):
        kind = channel.get("ContentType", "").partition(";")[0].strip().lower()
        if kind in RECORDS:
            raise _refused(call, f"InputDataConfig.ContentType={kind}", "It has csv, libsvm and"
                           " parquet.")  # fmt: skip
    if "CheckpointConfig" in call.params:
        raise _refused(call, "CheckpointConfig without a script")


def check_serving(call: Call, variables: dict[str, str]) -> None:
    """NotEmulated, by name, for a model without a script that asks for what is not here."""
    for name in VARIABLES:
        if name in variables:
            raise _refused(call, f"PrimaryContainer.Environment.{name}")


def _refused(call: Call, parameter: str, detail: str = "") -> NotEmulated:
    return NotEmulated("sagemaker", call.operation, parameter, detail)
