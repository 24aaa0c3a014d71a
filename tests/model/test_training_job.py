"""The training job on real Parquet with real XGBoost."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import training
from localaws.sagemaker.metrics import read_metrics
from tests.model.synthetic import environment, rows, write_sets
from tests.model.trained import ARGUMENTS, Trained, train_small
from training.features import WIRE_FEATURES, WORDS
from training.train import main

TRAINING_FOLDER = Path(training.__file__).parent
MEASURES = ("auc", "logloss", "average_precision", "mean_f1", "threshold")


def pack(model_dir: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for file in model_dir.iterdir():
            tar.add(file, file.name)


def test_evaluation_says_what_the_model_is_worth_and_how_it_was_made(trained: Trained) -> None:
    found = trained.read("evaluation.json")

    challenger = found["challenger"]
    assert 0.7 < challenger["auc"] < 0.95
    assert 0 < challenger["average_precision"] < 1
    assert 0 < challenger["logloss"] < 0.6
    assert 0.1 < challenger["mean_f1"] < 1
    assert len(challenger["calibration"]) == 10
    assert sum(group["rows"] for group in challenger["calibration"]) == found["rows"]["holdout"]
    assert set(challenger["feature_importance"]["gain"]) == set(WIRE_FEATURES)
    assert sum(challenger["feature_importance"]["weight"].values()) > 0
    for curve, axes in (
        ("roc_curve", ("false_positive_rate", "true_positive_rate")),
        ("precision_recall_curve", ("recall", "precision")),
    ):
        x, y = (challenger[curve][axis] for axis in axes)
        assert len(x) == len(y) <= 100
        assert x == sorted(x)
        assert (x[0], x[-1]) == (0, 1)
    assert found["champion"] is None
    assert found["rows"] == {"training": 6000, "validation": 3000, "holdout": 3000}
    assert found["users"] == {"training": 300, "validation": 150, "holdout": 150}
    assert set(found["versions"]) == {"python", "xgboost", "numpy", "pyarrow", "scikit-learn"}
    assert found["hyperparameters"]["num_round"] == 40
    assert 0 <= found["best_iteration"] < 40
    assert len(found["learning_curve"]["validation_auc"]) == len(found["learning_curve"]["round"])
    assert found["validation"]["threshold"] == challenger["threshold"]
    assert found["training_seconds"] > 0


def test_evaluation_stays_small_enough_to_be_read_by_a_state(trained: Trained) -> None:
    assert (trained.folder / "checkpoints" / "evaluation.json").stat().st_size < 200_000


def test_model_folder_holds_the_model_and_its_description_and_nothing_else(
    trained: Trained,
) -> None:
    assert {p.name for p in trained.model_dir.iterdir()} == {
        "xgboost-model",
        "model.json",
        "customers",
    }
    told = json.loads((trained.model_dir / "model.json").read_text())
    assert told["features"] == list(WIRE_FEATURES)
    assert told["run"] == "run-1"
    assert told["threshold"] == trained.read("evaluation.json")["challenger"]["threshold"]
    assert told["trained_on"] == {"rows": 6_000, "users": 300}
    assert told["holdout"]["auc"] == trained.read("evaluation.json")["challenger"]["auc"]
    raw = (trained.model_dir / "xgboost-model").read_bytes()
    assert told["model_sha256"] == hashlib.sha256(raw).hexdigest()
    about = {"trained_at", "versions", "trained_on", "holdout", "profile", "model_sha256"}
    assert set(told) == {"features", "threshold", "run", "nullable"} | about
    assert told["nullable"] == ["user_mean_days_since_prior", "user_reorder_ratio"]


def test_model_is_cut_at_the_round_with_the_best_validation_auc(trained: Trained) -> None:
    found = trained.read("evaluation.json")
    curve = found["learning_curve"]["validation_auc"]
    best = found["learning_curve"]["round"].index(found["best_iteration"])

    assert curve[best] == max(curve)
    assert found["validation"]["auc"] == pytest.approx(max(curve), abs=1e-5)


def test_same_data_and_seed_give_the_same_bytes_run_as_sagemaker_runs_it(
    trained: Trained, tmp_path: Path
) -> None:
    """`python -m train` at the top of an unpacked sourcedir whose name is not `training`."""
    code = tmp_path / "code"
    shutil.copytree(TRAINING_FOLDER, code, ignore=shutil.ignore_patterns("__pycache__"))
    told = {**trained.environment, "SM_MODEL_DIR": str(tmp_path / "model")}
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    done = subprocess.run(
        [sys.executable, "-m", "train", *ARGUMENTS],
        cwd=code,
        env={**clean, **told},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "challenger run-1: holdout auc" in done.stdout
    again, before = tmp_path / "model/xgboost-model", trained.model_dir / "xgboost-model"
    assert again.read_bytes() == before.read_bytes()
    assert (tmp_path / "checkpoints" / "golden.json").read_text() == (
        trained.folder / "checkpoints" / "golden.json"
    ).read_text()


def test_number_of_threads_does_not_change_the_model(trained: Trained, tmp_path: Path) -> None:
    told = {**trained.environment, "SM_MODEL_DIR": str(tmp_path / "model")}

    assert main([*ARGUMENTS, "--nthread", "1"], told) == 0

    one = json.loads((tmp_path / "checkpoints/evaluation.json").read_text())
    assert one["challenger"]["auc"] == trained.read("evaluation.json")["challenger"]["auc"]


def test_a_set_too_large_to_be_kept_gives_the_same_model_and_figures(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.sets.KEPT_BYTES", 0)
    other = train_small(tmp_path)

    model = (trained.model_dir / "xgboost-model").read_bytes()
    assert (other.model_dir / "xgboost-model").read_bytes() == model
    for part in ("challenger", "rules", "learning_by_users", "next_baskets"):
        assert other.read("evaluation.json")[part] == trained.read("evaluation.json")[part]


def test_columns_that_are_null_in_a_set_are_no_features(trained: Trained, tmp_path: Path) -> None:
    """All four sets of the Glue job have labels and words, where they are none as nulls."""
    environment = write_sets(tmp_path, users=300)
    for name in ("training", "validation", "holdout", "scoring"):
        for file in (tmp_path / name).rglob("*.parquet"):
            table = pq.read_table(file)
            for column in ("label", *WORDS):
                if column not in table.column_names:
                    table = table.append_column(column, pa.nulls(table.num_rows, pa.float32()))
            pq.write_table(table, file)

    assert main(ARGUMENTS, environment) == 0
    model = (trained.model_dir / "xgboost-model").read_bytes()
    assert (tmp_path / "model" / "xgboost-model").read_bytes() == model


def test_another_seed_gives_another_model(trained: Trained, tmp_path: Path) -> None:
    told = {**trained.environment, "SM_MODEL_DIR": str(tmp_path / "model")}

    assert main([*ARGUMENTS[:-1], "8"], told) == 0

    again, before = tmp_path / "model/xgboost-model", trained.model_dir / "xgboost-model"
    assert again.read_bytes() != before.read_bytes()


def test_champion_is_measured_on_the_same_holdout_at_its_own_threshold(
    trained: Trained, tmp_path: Path
) -> None:
    """The model challenges itself: every figure must come out the same."""
    champion = tmp_path / "champion"
    champion.mkdir()
    pack(trained.model_dir, champion / "model.tar.gz")
    told = {
        **trained.environment,
        "SM_CHANNEL_CHAMPION": str(champion),
        "SM_MODEL_DIR": str(tmp_path / "model"),
    }

    assert main(["--run", "run-2", *ARGUMENTS[2:]], told) == 0

    found = json.loads((tmp_path / "checkpoints/evaluation.json").read_text())
    assert found["champion"]["run"] == "run-1"
    assert found["challenger"]["run"] == "run-2"
    assert {m: found["champion"][m] for m in MEASURES} == {
        m: found["challenger"][m] for m in MEASURES
    }


def test_weaker_champion_is_measured_as_weaker(trained: Trained, tmp_path: Path) -> None:
    champion = tmp_path / "champion"
    champion.mkdir()
    told = {**trained.environment, "SM_MODEL_DIR": str(tmp_path / "weak/model")}
    weak = ["--run", "weak", "--num_round", "1", "--max_depth", "1", "--nthread", "1"]
    assert main(weak, told) == 0
    pack(tmp_path / "weak/model", champion / "model.tar.gz")

    told |= {"SM_CHANNEL_CHAMPION": str(champion), "SM_MODEL_DIR": str(tmp_path / "model")}
    assert main(ARGUMENTS, told) == 0

    found = json.loads((tmp_path / "checkpoints/evaluation.json").read_text())
    assert found["champion"]["auc"] < found["challenger"]["auc"]
    assert found["champion"]["threshold"] != found["challenger"]["threshold"]


def test_further_features_follow_the_18_and_are_used(tmp_path: Path) -> None:
    told = write_sets(tmp_path, users=100)
    for file in tmp_path.rglob("*.parquet"):
        table = pq.read_table(file)
        labels = table["label"] if "label" in table.column_names else table["up_orders"]
        more = pa.chunked_array([[int(x) for x in labels.to_pylist()]])
        pq.write_table(table.append_column("leak", more), file)

    assert main(ARGUMENTS, told) == 0

    assert json.loads((tmp_path / "model/model.json").read_text())["features"] == [
        *WIRE_FEATURES,
        "leak",
    ]
    golden = json.loads((tmp_path / "checkpoints/golden.json").read_text())
    assert {len(row) for row in golden["rows"]} == {18}


def test_model_with_more_features_is_as_good_for_a_line_of_18(
    trained: Trained, tmp_path: Path
) -> None:
    """The further feature says the answer: without it the model must not be worse than one that
    never had it, and the record has both figures."""
    told = write_sets(tmp_path, users=300)
    for file in tmp_path.rglob("*.parquet"):
        table = pq.read_table(file)
        if "label" in table.column_names:
            leak = pc.cast(table["label"], pa.float64())
        else:
            leak = pa.array([0.0] * table.num_rows)
        pq.write_table(table.append_column("leak", leak), file)

    assert main(ARGUMENTS, told) == 0

    told = json.loads((tmp_path / "checkpoints/evaluation.json").read_text())
    assert list(told["leaks"]) == ["leak"]
    found = told["challenger"]
    assert found["auc"] > 0.99
    without = trained.read("evaluation.json")["challenger"]
    assert found["with_18_features"]["auc"] > without["auc"] - 0.03
    assert "with_18_features" not in without


def test_missing_feature_values_and_decimal_columns_are_taken(tmp_path: Path) -> None:
    told = write_sets(tmp_path, users=100)
    file = tmp_path / "training/part-00000.snappy.parquet"
    table = pq.read_table(file)
    ratios = [None if i % 5 == 0 else v for i, v in enumerate(table["up_order_rate"].to_pylist())]
    table = table.set_column(
        table.column_names.index("up_order_rate"), "up_order_rate", pa.array(ratios, pa.float64())
    )
    at = table.column_names.index("user_period")
    table = table.set_column(at, "user_period", table["user_period"].cast(pa.decimal128(20, 2)))
    pq.write_table(table, file)

    assert main(ARGUMENTS, told) == 0


def replace(folder: Path, name: str, column: str, values: pa.Array | None) -> None:
    file = folder / name / "part-00000.snappy.parquet"
    table = pq.read_table(file)
    at = table.column_names.index(column)
    changed = table.remove_column(at) if values is None else table.set_column(at, column, values)
    pq.write_table(changed, file)


def one_wrong(count: int, value: object) -> pa.Array:
    return pa.array([value] + [i % 2 for i in range(count - 1)], pa.float64())


def spoil_missing_channel(folder: Path, told: dict[str, str]) -> None:
    del told["SM_CHANNEL_VALIDATION"]


def spoil_no_files(folder: Path, told: dict[str, str]) -> None:
    (folder / "holdout/part-00000.snappy.parquet").unlink()


def spoil_empty_set(folder: Path, told: dict[str, str]) -> None:
    pq.write_table(
        rows(range(1)).schema.empty_table(), folder / "holdout/part-00000.snappy.parquet"
    )


def spoil_column(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "user_period", None)


def spoil_column_in_one_file(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "training", "user_period", None)


def spoil_text_column(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "validation", "user_period", pa.array(["many"] * 1000))


def spoil_no_positive(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "validation", "label", pa.array([0] * 1000))


def spoil_no_negative(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "label", pa.array([1] * 1000))


def spoil_nan_label(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "label", one_wrong(1000, float("nan")))


def spoil_null_label(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "label", one_wrong(1000, None))


def spoil_label_value(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "label", one_wrong(1000, 2))


def spoil_null_order(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "order_id", pa.array([None] + [1] * 999, pa.int64()))


def spoil_overlap(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "holdout", "user_id", pa.array([5] * 1000, pa.int64()))


def spoil_infinity(folder: Path, told: dict[str, str]) -> None:
    replace(folder, "training", "prod_orders", pa.array([float("inf")] * 1000))


def spoil_no_parquet(folder: Path, told: dict[str, str]) -> None:
    (folder / "training/part-00000.snappy.parquet").write_text("user_id,label\n1,0\n")


def spoil_champion_channel(folder: Path, told: dict[str, str]) -> None:
    del told["SM_CHANNEL_CHAMPION"]


def spoil_champion_folder(folder: Path, told: dict[str, str]) -> None:
    (folder / "champion/none.json").unlink()


def spoil_champion_archive(folder: Path, told: dict[str, str]) -> None:
    (folder / "champion/none.json").unlink()
    (folder / "champion/model.tar.gz").write_bytes(b"\x1f\x8b no archive")


def champion_of(folder: Path, files: dict[str, bytes]) -> None:
    (folder / "champion/none.json").unlink()
    (folder / "new").mkdir()
    for name, content in files.items():
        (folder / "new" / name).write_bytes(content)
    pack(folder / "new", folder / "champion/model.tar.gz")


def spoil_champion_without_model(folder: Path, told: dict[str, str]) -> None:
    champion_of(folder, {"model.json": b"{}"})


def spoil_champion_model(folder: Path, told: dict[str, str]) -> None:
    description = {"features": ["up_orders"], "threshold": 0.2, "run": "old"}
    champion_of(
        folder, {"model.json": json.dumps(description).encode(), "xgboost-model": b"not a model"}
    )


def spoil_champion_features(folder: Path, told: dict[str, str]) -> None:
    told_before = write_sets(folder / "before", users=60)
    for file in (folder / "before").rglob("*.parquet"):
        table = pq.read_table(file)
        pq.write_table(table.append_column("streak", table["up_orders"]), file)
    assert main(["--run", "old", "--num_round", "2"], told_before) == 0
    (folder / "champion/none.json").unlink()
    pack(folder / "before/model", folder / "champion/model.tar.gz")


def spoil_champion_link(folder: Path, told: dict[str, str]) -> None:
    (folder / "champion/none.json").unlink()
    with tarfile.open(folder / "champion/model.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo("xgboost-model")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)


def spoil_changed_number(folder: Path, told: dict[str, str]) -> None:
    """One bit of one number; as Spark writes them, pages have checksums."""
    file = folder / "holdout/part-00000.snappy.parquet"
    plain = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    pq.write_table(pq.read_table(file), file, **plain)
    group = pq.ParquetFile(file).metadata.row_group(0)
    chunks = [group.column(place) for place in range(group.num_columns)]
    chunk = next(chunk for chunk in chunks if chunk.path_in_schema == "up_orders")
    data = bytearray(file.read_bytes())
    data[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    file.write_bytes(data)


def spoil_truncated_set(folder: Path, told: dict[str, str]) -> None:
    file = folder / "training/part-00000.snappy.parquet"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def spoil_set_of_no_bytes(folder: Path, told: dict[str, str]) -> None:
    (folder / "validation/part-00000.snappy.parquet").write_bytes(b"")


def trained_before(folder: Path, name: str, *more: str) -> Path:
    """The folder of a model that was trained earlier, `old`."""
    told_before = write_sets(folder / name, users=60)
    assert main(["--run", "old", "--num_round", "2", *more], told_before) == 0
    (folder / "champion/none.json").unlink(missing_ok=True)
    return folder / name / "model"


def spoil_truncated_champion(folder: Path, told: dict[str, str]) -> None:
    archive = folder / "champion/model.tar.gz"
    pack(trained_before(folder, "before"), archive)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])


def spoil_champions_number(folder: Path, told: dict[str, str]) -> None:
    """One bit of a leaf, in an archive that unpacks: of before models had a hash of their own."""
    model = trained_before(folder, "before")
    described = json.loads((model / "model.json").read_text())
    del described["model_sha256"]
    (model / "model.json").write_text(json.dumps(described))
    raw = (model / "xgboost-model").read_bytes()
    leaf = raw.index(b"base_weights") + 40
    pack(model, folder / "packed.tar.gz")
    packed = gzip.decompress((folder / "packed.tar.gz").read_bytes())
    stored = bytearray(gzip.compress(packed, compresslevel=0))
    stored[stored.index(raw[leaf - 20 : leaf + 20]) + 20] ^= 1
    (folder / "champion/model.tar.gz").write_bytes(stored)


def spoil_other_champion(folder: Path, told: dict[str, str]) -> None:
    model = trained_before(folder, "before")
    shutil.copy(trained_before(folder, "other", "--seed", "8") / "xgboost-model", model)
    pack(model, folder / "champion/model.tar.gz")


BAD_DATA = [
    (spoil_changed_number, "The holdout set, file part-00000.snappy.parquet is damaged: could"),
    (spoil_truncated_set, "The training set: part-00000.snappy.parquet is not a Parquet file"),
    (spoil_set_of_no_bytes, "The validation set: part-00000.snappy.parquet is not a Parquet file"),
    (spoil_truncated_champion, "The champion's model.tar.gz cannot be read: Compressed file ended"),
    (spoil_champions_number, "The champion's model.tar.gz cannot be read: CRC check failed"),
    (spoil_other_champion, "The champion's xgboost-model is not the one that old made"),
    (spoil_missing_channel, "Channel 'validation' is missing: SM_CHANNEL_VALIDATION is not set"),
    (spoil_no_files, "Channel 'holdout' has no .parquet file"),
    (spoil_empty_set, "The holdout set is empty: 1 files, no row."),
    (spoil_column, "The holdout set has no column user_period"),
    (spoil_column_in_one_file, "differ in the columns user_period"),
    (spoil_text_column, "column user_period is string, a number is needed"),
    (spoil_no_positive, "The validation set has 1000 rows and no positive (1) label"),
    (spoil_no_negative, "The holdout set has 1000 rows and no negative (0) label"),
    (spoil_nan_label, "1 labels are not 0 or 1 (the first is nan"),
    (spoil_null_label, "1 labels are not 0 or 1 (the first is nan"),
    (spoil_label_value, "1 labels are not 0 or 1 (the first is 2.0"),
    (spoil_null_order, "The holdout set, file part-00000.snappy.parquet: 1 rows have no order_id"),
    (spoil_overlap, "1 users are in more than one of the sets training, validation, holdout"),
    (spoil_infinity, "feature prod_orders holds an infinite value"),
    (spoil_no_parquet, "part-00000.snappy.parquet is not a Parquet file"),
    (spoil_champion_channel, "Channel 'champion' is missing: SM_CHANNEL_CHAMPION is not set"),
    (spoil_champion_folder, "Channel 'champion' holds 0 model.tar.gz and 0 none.json"),
    (spoil_champion_archive, "The champion's model.tar.gz cannot be read"),
    (spoil_champion_without_model, "The champion's model.tar.gz has no xgboost-model"),
    (spoil_champion_model, "xgboost-model cannot be read by XGBoost"),
    (spoil_champion_features, "The champion (old) was trained on streak, which this run's sets"),
    (spoil_champion_link, "xgboost-model is not a regular file"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD_DATA, ids=lambda v: getattr(v, "__name__", ""))
def test_bad_data_is_refused_with_its_reason_in_the_failure_file(
    spoil, message, tmp_path, capfd
) -> None:
    told = write_sets(tmp_path, users=100)
    spoil(tmp_path, told)

    assert main(ARGUMENTS, told) == 1

    assert message in capfd.readouterr().err
    assert message in (tmp_path / "output/failure").read_text()
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "checkpoints").exists()


BAD_ARGUMENTS = [
    (["--run", "r", "--learning_rate", "0.1"], "hyperparameter 'learning_rate' is unknown"),
    (["--run", "r", "--eta", "2"], "hyperparameter eta is '2'; accepted: a number above 0"),
    (["--run", "r", "--eta", "nan"], "hyperparameter eta is 'nan'"),
    (["--run", "r", "--max_depth", "6.5"], "max_depth is '6.5'; accepted: a whole number"),
    (["--run", "r", "--objective", "reg:squarederror"], "accepted: binary:logistic"),
    (["--run", "r", "--eval_metric", "auc,f1"], "eval_metric is 'auc,f1'; accepted: one or more"),
    (["--run", "r", "--seed", "-1"], "seed is '-1'; accepted: a whole number from 0"),
    (["--run", "r", "--num_round", "0"], "num_round is '0'; accepted: a whole number from 1"),
    (["--run", "r", "--num_round"], "Argument '--num_round' has no value"),
    (["--run", "r", "--eta", "1", "--eta", "1"], "Argument --eta is given twice"),
    (["train"], "Argument 'train' is not understood"),
    ([], "The run has no name: give --run"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS, ids=lambda v: str(v)[:40])
def test_bad_arguments_are_refused_by_name(arguments, message, tmp_path, capfd) -> None:
    assert main(arguments, environment(tmp_path)) == 1

    assert message in capfd.readouterr().err


def test_run_is_named_after_the_training_job_unless_told_otherwise(tmp_path: Path) -> None:
    told = {**write_sets(tmp_path, users=60), "TRAINING_JOB_NAME": "rebuy-7"}

    assert main(["--num_round=5", "--evaluation_dir", str(tmp_path / "elsewhere")], told) == 0

    assert json.loads((tmp_path / "elsewhere/evaluation.json").read_text())["run"] == "rebuy-7"


def test_a_trial_needs_two_channels_and_leaves_the_same_model(
    trained: Trained, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What tuning measures is what training then makes, and the holdout has no part in it."""
    told = {
        name: value
        for name, value in trained.environment.items()
        if name in ("SM_CHANNEL_TRAINING", "SM_CHANNEL_VALIDATION")
    } | {"SM_MODEL_DIR": str(tmp_path / "model")}
    assert main([*ARGUMENTS, "--trial", "yes"], told) == 0

    assert [file.name for file in (tmp_path / "model").iterdir()] == ["xgboost-model"]
    model = (trained.model_dir / "xgboost-model").read_bytes()
    assert (tmp_path / "model/xgboost-model").read_bytes() == model
    last = capfd.readouterr().out.strip().splitlines()[-1]
    auc = trained.read("evaluation.json")["validation"]["auc"]
    assert read_metrics(last) == {"validation:auc": pytest.approx(auc, abs=1e-5)}


def test_every_module_that_ships_parses_on_python_3_10() -> None:
    for folder in ("training", "inference"):
        for file in (TRAINING_FOLDER.parent / folder).glob("*.py"):
            ast.parse(file.read_text(), str(file), feature_version=(3, 10))


def test_the_console_shows_every_part_of_an_evaluation(trained: Trained) -> None:
    from console.evaluation_tables import tables

    found = trained.read("evaluation.json")
    told = {table["title"]: table for table in tables(found)}

    assert list(told) == [
        "Beside simple rules",
        "Slices",
        "What moves predictions",
        "Would another seed say so?",
        "Would more customers help?",
    ]
    for table in told.values():
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert tables({"challenger": {"slices": 5}}) == []
    assert found["learning_by_users"][-1]["users"] == 300
    strongest = next(iter(found["importance_stability"].values()))
    assert strongest["mean"] > 3 * strongest["deviation"]
    card = found["model_card"]
    assert card["model_overview"]["model_name"] == "run-1"


def test_drift_is_seen_where_it_is(tmp_path: Path) -> None:
    from training import drift
    from training.artefact import Model
    from training.sets import Scores, open_set

    folders = [write_sets(tmp_path / name, users=60) for name in ("then", "now")]
    replace(tmp_path / "now", "holdout", "user_period", pa.array([5.0] * 600))
    then, now = (open_set("holdout", told["SM_CHANNEL_HOLDOUT"]) for told in folders)
    label = then.column("label")
    scores = Scores(label, then.column("up_order_rate"), label, label, label)

    profile = drift.profile(then, then.features, scores)
    found = drift.since(Model(None, then.features, 0.5, "r"), profile, now, scores)

    assert next(iter(found["features"])) == "user_period"
    assert found["features"]["user_period"] > 1
    assert found["features"]["up_orders"] == found["probability"] == 0
    assert found["base_rate"]["then"] == found["base_rate"]["now"]
    assert (found["since"], found["asked"]) == ("r", None)
