"""What a training job found out about its model: `evaluation.json`, as the page draws it.

The file is looked for where DescribeTrainingJob says that the job keeps its checkpoints, then
below its output. Of its content this is drawn, each part where it has this form:

* `challenger` (or the file itself) and `champion`, each with numbers `auc`, `logloss`,
  `average_precision`, `mean_f1`, `mean_f1_of_baskets`, `threshold`, and
  `roc_curve` {false_positive_rate: [], true_positive_rate: []},
  `precision_recall_curve` {recall: [], precision: []},
  `calibration` [{mean_predicted, observed, rows}],
  `feature_importance` {gain: {name: number}}, `operating_point` (rates at the threshold);
* `learning_curve` {round: [], name: [], ...} and `best_iteration`;
* and as tables (`console.evaluation_tables`) `rules`, `comparison`, `slices`, `drift`, `shap`,
  `importance_stability`, `learning_by_users`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from botocore.exceptions import ClientError

from console import sections
from console.evaluation_tables import tables
from console.sections import Section, note
from executions.s3 import split_uri

Json = dict[str, Any]

FILE = "evaluation.json"
MOST_BYTES = 8 * 1024 * 1024
FIGURES = ("auc", "average_precision", "mean_f1", "mean_f1_of_baskets", "logloss", "threshold")
POINT = ("false_positive_rate", "true_positive_rate", "recall", "precision")


def section(s3: Any, job: Json) -> Section:
    """{kind: "model", uri, models, learning}, or a note that says why there is none."""
    places = _places(job)
    for uri in places:
        bucket, key = split_uri(uri)
        try:
            answer = s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NoSuchBucket"):
                continue
            return note(f"{uri} cannot be read: {error}")
        if answer["ContentLength"] > MOST_BYTES:
            return note(f"{uri} has {answer['ContentLength']:,} bytes; {MOST_BYTES:,} are read.")
        return of(answer["Body"].read(), uri)
    wanted = " or ".join(places) or "the description of the job names no place for it"
    return note(f"The job wrote no {FILE} that could be drawn ({wanted}).")


def of(body: bytes, uri: str) -> Section:
    """The section of one file."""
    try:
        found = json.loads(body)
    except ValueError:
        return note(f"{uri} is not JSON.")
    if not isinstance(found, dict):
        return note(f"{uri} has no form that is known here.")
    own = found["challenger"] if isinstance(found.get("challenger"), dict) else found
    models = [_model("this model", own)]
    if isinstance(found.get("champion"), dict):
        models.append(_model("the live model", found["champion"]))
    learning = _learning(found)
    if not models[0]["figures"] and not models[0]["roc"] and learning is None:
        return note(f"{uri} has no form that is known here; its members: {', '.join(found)}.")
    return sections.section(
        "model", "Model", uri=uri, models=models, learning=learning, tables=tables(found)
    )


def _places(job: Json) -> list[str]:
    found = []
    checkpoints = (job.get("CheckpointConfig") or {}).get("S3Uri")
    if checkpoints:
        found.append(f"{checkpoints.rstrip('/')}/{FILE}")
    output = (job.get("OutputDataConfig") or {}).get("S3OutputPath")
    if output:
        found.append(f"{output.rstrip('/')}/{job['TrainingJobName']}/output/{FILE}")
    return [uri for uri in found if uri.startswith("s3://")]


def _model(role: str, given: Json) -> Json:
    importance = given.get("feature_importance")
    gain = importance.get("gain") if isinstance(importance, dict) else None
    point = given.get("operating_point")
    return {
        "role": role,
        "name": given.get("run") if isinstance(given.get("run"), str) else None,
        "figures": {name: given[name] for name in FIGURES if _is_number(given.get(name))},
        "roc": _pairs(given.get("roc_curve"), "false_positive_rate", "true_positive_rate"),
        "precision_recall": _pairs(given.get("precision_recall_curve"), "recall", "precision"),
        "calibration": _calibration(given.get("calibration")),
        "importance": _importance(gain),
        "point": {name: point[name] for name in POINT if _is_number(point.get(name))}
        if isinstance(point, dict)
        else {},
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _pairs(curve: Any, x: str, y: str) -> list[list[float]]:
    """[[x, y], ...]; empty when the curve is not two lists of as many numbers."""
    if not isinstance(curve, dict):
        return []
    across, up = curve.get(x), curve.get(y)
    if not isinstance(across, list) or not isinstance(up, list) or len(across) != len(up):
        return []
    return [list(pair) for pair in zip(across, up, strict=True) if all(map(_is_number, pair))]


def _calibration(groups: Any) -> list[Json]:
    names = ("mean_predicted", "observed", "rows")
    if not isinstance(groups, list):
        return []
    return [
        {name: group[name] for name in names}
        for group in groups
        if isinstance(group, dict) and all(_is_number(group.get(name)) for name in names)
    ]


def _importance(gain: Any) -> list[Json]:
    """Most important first."""
    if not isinstance(gain, dict):
        return []
    kept = [{"name": name, "gain": value} for name, value in gain.items() if _is_number(value)]
    return sorted(kept, key=lambda item: -item["gain"])


def _learning(found: Json) -> Json | None:
    """{round, series: [{name, values}], best}."""
    curve = found.get("learning_curve")
    if not isinstance(curve, dict) or not isinstance(curve.get("round"), list):
        return None
    rounds = curve["round"]
    series = [
        {"name": name.replace("_", " "), "values": values}
        for name, values in curve.items()
        if name != "round"
        and isinstance(values, list)
        and len(values) == len(rounds)
        and all(map(_is_number, values))
    ]
    if not series or not all(map(_is_number, rounds)):
        return None
    best = found.get("best_iteration")
    return {"round": rounds, "series": series, "best": best if _is_number(best) else None}
