"""What the endpoint answers, around a model that was really trained."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inference import serve
from inference.booster import probabilities
from inference.serve import CSV, JSON, Model
from tests.model.trained import EXAMPLE_LINE, Trained
from training.features import WIRE_FEATURES


@pytest.fixture(scope="module")
def model(trained: Trained) -> Model:
    return serve.model_fn(str(trained.model_dir))


def ask(model: Model, body: str | bytes, kind: str = CSV, accept: str | None = CSV) -> str:
    return serve.write_answer(serve.predict(serve.read_request(body, kind), model), accept)[0]


def test_wire_features_are_the_ones_that_training_uses() -> None:
    assert serve.WIRE_FEATURES == WIRE_FEATURES


def test_golden_rows_get_the_probabilities_that_training_wrote_down(
    trained: Trained, model: Model
) -> None:
    golden = trained.read("golden.json")
    lines = "\n".join(",".join(map(repr, row)) for row in golden["rows"])

    answered = [float(p) for p in ask(model, lines).split()]

    assert len(answered) >= 8
    assert answered == golden["probabilities"]
    assert max(answered) - min(answered) > 0.2  # from the least to the most likely


def test_json_by_name_in_any_order_says_the_same_as_csv(trained: Trained, model: Model) -> None:
    golden = trained.read("golden.json")
    rows = [dict(reversed(list(zip(WIRE_FEATURES, r, strict=True)))) for r in golden["rows"]]

    answer = json.loads(ask(model, json.dumps({"rows": rows}), JSON, JSON))

    assert [p["probability"] for p in answer["predictions"]] == golden["probabilities"]
    assert answer["model"] == "run-1"
    assert answer["threshold"] == model.threshold
    assert [p["will_buy"] for p in answer["predictions"]] == [
        p >= model.threshold for p in golden["probabilities"]
    ]


def test_the_references_example_line_is_answered(model: Model) -> None:
    assert 0 < float(ask(model, EXAMPLE_LINE)) < 1
    assert ask(model, EXAMPLE_LINE + "\r\n") == ask(model, EXAMPLE_LINE.encode())


def test_left_out_features_are_missing_values(model: Model) -> None:
    answer = json.loads(ask(model, '{"rows": [{"up_orders": 3}, {}]}', JSON, JSON))

    matrix = np.full((1, 18), np.nan, dtype=np.float32)
    matrix[0, 0] = 3
    expected = float(model.booster.inplace_predict(matrix)[0])
    assert answer["predictions"][0]["probability"] == expected


def test_model_with_more_features_takes_the_18_with_the_others_missing(trained: Trained) -> None:
    told = serve.model_fn(str(trained.model_dir))
    renamed = Model(told.booster, ("streak", *WIRE_FEATURES[1:]), told.threshold, told.run)

    rows = serve.read_request(json.dumps({"rows": [{"streak": 2, "up_last_order": 4}]}), JSON)

    matrix = np.full((1, 18), np.nan, dtype=np.float32)
    matrix[0, 0], matrix[0, 9] = 2, 4
    expected = told.booster.inplace_predict(matrix)
    assert serve.predict(rows, renamed).probability == expected


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, CSV),
        ("*/*", CSV),
        ("Text/CSV; charset=utf-8", CSV),
        ("application/json", JSON),
        ("text/html, application/json;q=0.9", JSON),
    ],
)
def test_accept_chooses_the_form_of_the_answer(model: Model, accept, kind) -> None:
    prediction = serve.predict(serve.read_request(EXAMPLE_LINE, CSV), model)

    assert serve.write_answer(prediction, accept)[1] == kind


ROW = EXAMPLE_LINE.split(",")
BAD = [
    ("", CSV, 400, "no row"),
    ("1,2,3", CSV, 400, "Row 1 has 3 values; accepted: 18"),
    (",".join([*ROW, "1"]), CSV, 400, "Row 1 has 19 values"),
    (EXAMPLE_LINE + "\n\n" + EXAMPLE_LINE, CSV, 400, "Row 2 has 1 values"),
    (",".join(["x", *ROW[1:]]), CSV, 400, "Row 1, up_orders: 'x' is not a number"),
    (",".join(["1_0", *ROW[1:]]), CSV, 400, "Row 1, up_orders: '1_0' is not a number"),
    (",".join([*ROW[:2], "nan", *ROW[3:]]), CSV, 400, "Row 1, user_period: the value is not a fin"),
    (",".join([*ROW[:2], "1e39", *ROW[3:]]), CSV, 400, "Row 1, user_period: the value is not a"),
    (b"\xff\xfe", CSV, 400, "not UTF-8"),
    ("{", JSON, 400, "The body is not JSON"),
    ("[" * 100_000, JSON, 400, "The body is not JSON"),
    ('{"rows": {}}', JSON, 400, 'not of the form {"rows"'),
    ('{"rows": [], "more": 1}', JSON, 400, 'not of the form {"rows"'),
    ('{"rows": []}', JSON, 400, "no row"),
    ('{"rows": [{}]}', JSON, 400, "Not one feature is given"),
    ('{"rows": [{"up_orders": "1"}]}', JSON, 400, "Row 1, 'up_orders': '1' is not a number"),
    ('{"rows": [{"up_orders": true}]}', JSON, 400, "'True' is not a number"),
    ('{"rows": [{"up_orders": NaN}]}', JSON, 400, "up_orders: the value is not a finite"),
    ('{"rows": [{"up_ordres": 1}]}', JSON, 400, "Unknown features: 'up_ordres'"),
    ('{"rows": [{"up_orders": 1}], "explain": 1}', JSON, 400, "explain is neither true nor false"),
    ('{"rows": [{"up_orders": 1}], "request_id": 1}', JSON, 400, "request_id is not a text"),
    ('{"describe": false}', JSON, 400, 'not of the form {"rows"'),
    ('{"describe": true, "rows": []}', JSON, 400, 'not of the form {"rows"'),
    (
        json.dumps({"rows": [{"up_orders": 1}] * 1_001, "explain": True}),
        JSON,
        413,
        "1001 rows; at most 1000",
    ),
    (EXAMPLE_LINE, "text/libsvm", 415, "accepted: text/csv and application/json"),
    (EXAMPLE_LINE, None, 415, "Content type None"),
    ("1\n" * (serve.MAX_ROWS + 1), CSV, 413, f"at most {serve.MAX_ROWS}"),
    ("1" * (serve.MAX_BODY_BYTES + 1), CSV, 413, f"at most {serve.MAX_BODY_BYTES} are read"),
]


@pytest.mark.parametrize(("body", "kind", "status", "message"), BAD, ids=lambda v: str(v)[:30])
def test_bad_requests_are_refused_with_row_and_field(model: Model, body, kind, status, message):
    with pytest.raises(serve.RequestError) as refused:
        ask(model, body, kind)

    assert refused.value.status_code == status
    assert message in str(refused.value)


def test_unknown_accept_is_refused(model: Model) -> None:
    with pytest.raises(serve.NotAcceptableError, match="possible: text/csv and application/json"):
        ask(model, EXAMPLE_LINE, CSV, "image/png")


def explained(model: Model, rows: list[list[float]]) -> dict:
    named = [dict(zip(WIRE_FEATURES, row, strict=True)) for row in rows]
    return json.loads(ask(model, json.dumps({"rows": named, "explain": True}), JSON, JSON))


def test_contributions_and_bias_sum_to_the_margin(trained: Trained, model: Model) -> None:
    rows = trained.read("golden.json")["rows"]

    answered = explained(model, rows)["predictions"]

    matrix = np.asarray(rows, dtype=np.float32)
    margins = model.booster.inplace_predict(matrix, predict_type="margin")
    sums = [p["bias"] + sum(p["contributions"].values()) for p in answered]
    assert sums == pytest.approx(margins.tolist(), abs=1e-4)
    assert [p["probability"] for p in answered] == trained.read("golden.json")["probabilities"]
    assert all(tuple(p["contributions"]) == model.features for p in answered)


def test_explanations_are_json_alone(model: Model) -> None:
    body = json.dumps({"rows": [{"up_orders": 3}], "explain": True})

    assert "contributions" in ask(model, body, JSON, None)
    with pytest.raises(serve.NotAcceptableError, match="possible for this answer: application/js"):
        ask(model, body, JSON, CSV)


def test_explaining_threads_get_what_one_thread_gets(trained: Trained, model: Model) -> None:
    rows = trained.read("golden.json")["rows"]
    alone = [explained(model, [row]) for row in rows]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: explained(model, [row]), rows * 10)) == alone * 10


def test_model_describes_itself(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.model_dir, tmp_path / "model")
    file = tmp_path / "model" / "model.json"
    saved = json.loads(file.read_text()) | {"trained_on": {"rows": 7, "users": 3}, "secret": 1}
    file.write_text(json.dumps(saved))

    told = json.loads(
        ask(serve.model_fn(str(tmp_path / "model")), '{"describe": true}', JSON, JSON)
    )

    assert set(told) >= {"model", "threshold", "features", "trained_at", "versions", "trained_on"}
    assert told["trained_on"] == {"rows": 7, "users": 3}
    assert "secret" not in told


def test_request_id_is_in_the_endpoints_log_and_nothing_of_the_rows(model: Model, capsys) -> None:
    ask(model, '{"rows": [{"up_orders": 31337}], "request_id": "r-1"}', JSON, JSON)

    line = json.loads(capsys.readouterr().out)
    assert line.pop("milliseconds") >= 0
    assert line == {"request_id": "r-1", "rows": 1, "explain": False}


def test_many_threads_get_what_one_thread_gets(trained: Trained, model: Model) -> None:
    golden = trained.read("golden.json")
    lines = [",".join(map(repr, row)) for row in golden["rows"]] * 40

    with ThreadPoolExecutor(16) as pool:
        answered = list(pool.map(lambda line: float(ask(model, line)), lines))

    assert answered == golden["probabilities"] * 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": ["up_orders"]}, "names 1 features, xgboost-model takes 18"),
        ({"threshold": 3}, "threshold is 3.0; accepted: 0 to 1"),
        ({"model_sha256": "0" * 64}, "xgboost-model is not the one that run-1 made"),
    ],
)
def test_model_that_does_not_fit_its_description_is_not_loaded(
    trained: Trained, tmp_path: Path, change, message
) -> None:
    shutil.copytree(trained.model_dir, tmp_path / "model")
    file = tmp_path / "model" / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))

    with pytest.raises(ValueError, match=message):
        serve.model_fn(str(tmp_path / "model"))


def test_the_short_way_to_a_booster_says_to_the_bit_what_xgboost_says(trained: Trained) -> None:
    booster = serve.model_fn(str(trained.model_dir)).booster
    random = np.random.default_rng(3)
    matrix = (random.random((500, 18)) * 20).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.2] = np.nan

    for given in (matrix, matrix[:1], matrix[::2], np.asfortranarray(matrix), matrix[:0]):
        expected = booster.inplace_predict(given) if len(given) else np.empty(0, np.float32)
        assert np.array_equal(probabilities(booster, given), expected)
    with pytest.raises(ValueError, match="17 columns; the model takes 18"):
        probabilities(booster, matrix[:, 1:])
