"""The parts of `evaluation.json` that are lists: each as a table of texts, if it has its form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Table = dict[str, Any]  # {title, text, columns: [text], rows: [[text]]}

MOST_ROWS = 12
GAINS = {"auc": "AUC", "logloss": "log loss", "mean_f1_of_baskets": "mean F1 of baskets"}


def tables(found: Json) -> list[Table]:
    """What the file has of them, in this order; a part of another form is left out."""
    kept = []
    for make in PARTS:
        try:
            told = [row for row in make(found) if row]
        except (KeyError, TypeError, AttributeError, ValueError):
            continue
        head, *rows = told
        if rows:
            title, text, *columns = head
            kept.append({"title": title, "text": text, "columns": columns, "rows": rows})
    return kept


Rows = Iterator[list[str]]  # first [title, text, *columns], then the rows


def _rules(found: Json) -> Rows:
    yield [
        "Beside simple rules",
        "On the same holdout.",
        "Who",
        "AUC",
        "Mean F1",
        "In their top 10",
    ]
    own = found["challenger"]
    ten = own["top_k_recall"]["10"]
    yield ["this model", _four(own["auc"]), _four(own["mean_f1_of_baskets"]), _percent(ten)]
    line = own.get("with_18_features")
    if line:
        yield ["asked with 18 numbers", _four(line["auc"]), _four(line["mean_f1_of_baskets"]), ""]
    rate, last = found["rules"]["order_rate"], found["rules"]["last_basket"]
    top = _percent(rate["top_10_recall"])
    yield ["how often they bought it", _four(rate["auc"]), _four(rate["mean_f1"]), top]
    yield ["the last basket again", "", _four(last["mean_f1"]), ""]


def _gains(found: Json) -> Rows:
    compared = found["comparison"]
    text = f"Paired by {compared['users']} users drawn again {compared['samples']} times."
    yield ["Better than the live model", text, "In", "Gain", f"{compared['level']:.0%} interval"]
    for name, words in GAINS.items():
        gain = compared[name]
        yield [words, f"{gain['gain']:+.4f}", f"{gain['low']:+.4f} to {gain['high']:+.4f}"]


def _slices(found: Json) -> Rows:
    live = {part["slice"]: part for part in (found["champion"] or {}).get("slices", [])}
    head = ["Slices", "What a mean may hide.", "Part", "Rows", "AUC", "Log loss"]
    yield [*head, "The live model's AUC"] if live else head
    for part in found["challenger"]["slices"]:
        row = [part["slice"], f"{part['rows']:,}", _four(part["auc"]), _four(part["logloss"])]
        theirs = live.get(part["slice"])
        yield [*row, _four(theirs["auc"]) if theirs else ""] if live else row


def _drift(found: Json) -> Rows:
    drift = found["drift"]
    text = "PSI since the live model was made: below 0.1 no change, above 0.25 a great one."
    asked = drift.get("asked") or {}
    if asked:
        text += (
            f" Asked: the {asked['rows']:,} rows that the endpoint was sent since "
            f"{asked['since'][:10]}; so few differ by about {asked['by_chance']:.4f} by chance."
        )
    by_asked = asked.get("features", {})
    yield ["Drift", text, "Of", "PSI", "Asked"]
    yield ["probabilities", _four(drift["probability"]), ""]
    most = dict.fromkeys([*list(drift["features"])[:MOST_ROWS], *list(by_asked)[:MOST_ROWS]])
    for name in most:
        values = (drift["features"].get(name), by_asked.get(name))
        yield [name, *("" if value is None else _four(value) for value in values)]


def _shap(found: Json) -> Rows:
    text = "Mean absolute SHAP value in log-odds, on the holdout."
    yield ["What moves predictions", text, "Feature", "Log-odds"]
    for name, value in list(found["challenger"]["shap"].items())[:MOST_ROWS]:
        yield [name, _four(value)]


def _stability(found: Json) -> Rows:
    text = "Share of the gain in small models that differ in their seed alone."
    yield ["Would another seed say so?", text, "Feature", "Mean", "Deviation"]
    for name, told in list(found["importance_stability"].items())[:MOST_ROWS]:
        yield [name, _four(told["mean"]), _four(told["deviation"])]


def _learning(found: Json) -> Rows:
    text = "AUC on validation of small models; still rising means that more customers would help."
    yield ["Would more customers help?", text, "Customers", "AUC"]
    for point in found["learning_by_users"]:
        yield [f"{point['users']:,}", _four(point["auc"])]


PARTS: tuple[Callable[[Json], Rows], ...] = (
    _gains,
    _rules,
    _slices,
    _drift,
    _shap,
    _stability,
    _learning,
)


def _four(value: Any) -> str:
    return f"{float(value):.4f}"


def _percent(value: Any) -> str:
    return f"{float(value):.1%}"
