"""The model's card, as SageMaker's Model Registry takes it: its JSON schema of model cards, with
texts of at most 1,024 characters."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

FIGURES = ("auc", "logloss", "average_precision", "mean_f1", "mean_f1_of_baskets")
MOST_SLICES = 12


def of(outcome: Json) -> Json:
    """The content of the card of the run's model."""
    measured, rules = outcome["challenger"], outcome["rules"]
    rows, users = outcome["rows"], outcome["users"]
    figures = {name: measured[name] for name in FIGURES}
    figures["calibration_error"] = measured["calibration_error"]
    line = measured.get("with_18_features")
    more = {f"{name}_with_18_numbers": line[name] for name in FIGURES} if line else {}
    simple = {
        "auc_of_the_order_rate": rules["order_rate"]["auc"],
        "f1_of_the_order_rate": rules["order_rate"]["mean_f1"],
        "f1_of_the_last_basket_again": rules["last_basket"]["mean_f1"],
    }
    weakest = sorted(measured["slices"], key=lambda part: part["auc"])[:MOST_SLICES]
    return {
        "model_overview": {
            "model_name": outcome["run"],
            "model_description": "The probability that a customer's next order holds a product "
            "that they bought before.",
            "problem_type": "Binary classification",
            "algorithm_type": "Gradient boosted trees (XGBoost)",
        },
        "intended_uses": {
            "purpose_of_model": "Next baskets: what to remind a customer of, or to have in store.",
            "intended_uses": "Customers of this shop with at least one order, for products that "
            "they bought before. It knows nothing of products that are new to a customer.",
            "factors_affecting_model_efficiency": "Few orders of a customer: see the slices. "
            "Prices, offers, seasons and stock are unknown to it.",
            "risk_rating": "Low",
            "explanations_for_risk_rating": "A wrong answer is a product suggested or left out. "
            "No features but orders are used, none about persons.",
        },
        "training_details": {
            "training_observations": f"{rows['training']} rows of {users['training']} customers, "
            f"{outcome['best_iteration'] + 1} rounds."
            + (f" Hyperparameters of {outcome['tuning']}." if outcome.get("tuning") else ""),
            "training_job_details": {
                "user_provided_hyper_parameters": [
                    {"name": name, "value": str(value)}
                    for name, value in outcome["hyperparameters"].items()
                ],
            },
        },
        "evaluation_details": [
            {
                "name": "holdout",
                "evaluation_observation": f"{users['holdout']} customers whom no model was trained "
                "on, one order each.",
                "metric_groups": [
                    _group("model", figures | more),
                    _group("rules without a model", simple),
                    _group("weakest slices by AUC", {p["slice"]: p["auc"] for p in weakest}),
                ],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": "Compare with the rules without a model before relying "
            "on it; drift from run to run is in evaluation.json.",
        },
    }


def _group(name: str, figures: Json) -> Json:
    return {
        "name": name,
        "metric_data": [
            {"name": metric, "type": "number", "value": value} for metric, value in figures.items()
        ],
    }
