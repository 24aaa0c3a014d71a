"""The metrics SageMaker reads from the log lines of the XGBoost image."""

from __future__ import annotations

import re
from datetime import datetime

from localaws.shapes import Json

# docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html lists them; the image's built-in
# pattern is `.*\[[0-9]+\].*#011validation-auc:([-+]?[0-9]*\.?[0-9]+...)`, #011 being a logged tab.
NAMES = (
    "accuracy|auc|aucpr|error|f1|f1_binary|f1_macro|logloss|mae|map|merror|mlogloss|mse|ndcg"
    "|precision|r2|recall|rmse"
)
LINE = re.compile(r".*\[[0-9]+\].*")
METRIC = re.compile(
    rf"(?:\t|#011|\s)(train|validation)-({NAMES}):([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
)


NUMBER = "[-+]?[0-9]*\\.?[0-9]+(?:[eE][-+]?[0-9]+)?"


def definitions() -> list[Json]:
    """MetricDefinitions of the image, which DescribeTrainingJob shows."""
    return [
        {"Name": f"{where}:{name}", "Regex": rf".*\[[0-9]+\].*#011{where}-{name}:({NUMBER}).*"}
        for where in ("train", "validation")
        for name in NAMES.split("|")
    ]


def read_metrics(line: str) -> dict[str, float]:
    """`{"validation:auc": 0.81}` of a line `[7]<tab>train-auc:0.83<tab>validation-auc:0.81`."""
    if not LINE.fullmatch(line):
        return {}
    return {f"{where}:{name}": float(value) for where, name, value in METRIC.findall(line)}


class LastMetrics:
    """The last value of each metric, which is what FinalMetricDataList has."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, datetime]] = {}

    def read(self, lines: list[str], now: datetime) -> None:
        """Takes the metrics of new log lines."""
        for line in lines:
            for name, value in read_metrics(line).items():
                self._values[name] = (value, now)

    def members(self) -> Json:
        """FinalMetricDataList, if a metric was read."""
        values = [
            {"MetricName": name, "Value": value, "Timestamp": time}
            for name, (value, time) in sorted(self._values.items())
        ]
        return {"FinalMetricDataList": values} if values else {}
