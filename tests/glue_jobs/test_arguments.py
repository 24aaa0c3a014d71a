"""getResolvedOptions, rule by rule. The stand-in is loaded as a script would load it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from localaws.glue_jobs.spark import RUNTIME


@pytest.fixture(scope="module")
def utils() -> ModuleType:
    path = RUNTIME / "awsglue" / "utils.py"
    spec = importlib.util.spec_from_file_location("awsglue_utils", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ARGV = ["script.py", "--JOB_NAME", "join", "--run", "r1", "--percent", "10", "--other", "x"]


def test_the_named_values_are_texts_and_others_are_ignored(utils: ModuleType) -> None:
    found = utils.getResolvedOptions(ARGV, ["JOB_NAME", "run", "percent"])

    assert found == {"JOB_NAME": "join", "run": "r1", "percent": "10"}


def test_the_first_word_is_the_script(utils: ModuleType) -> None:
    with pytest.raises(utils.GlueArgumentError, match="required: --run"):
        utils.getResolvedOptions(["--run", "r1"], ["run"])


def test_every_name_asked_for_is_required(utils: ModuleType) -> None:
    with pytest.raises(utils.GlueArgumentError, match="required: --a, --b"):
        utils.getResolvedOptions(ARGV, ["a", "b"])


def test_job_name_comes_along_unasked(utils: ModuleType) -> None:
    assert utils.getResolvedOptions(ARGV, ["run"]) == {"run": "r1", "JOB_NAME": "join"}


def test_reserved_names_are_refused(utils: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="reserved"):
        utils.getResolvedOptions(ARGV, ["job-bookmark-option"])


def test_an_unambiguous_beginning_counts_as_the_name(utils: ModuleType) -> None:
    found = utils.getResolvedOptions(["s.py", "--lake", "b"], ["lake_bucket"])

    assert found == {"lake_bucket": "b"}


def test_a_value_may_look_like_a_number_or_be_empty(utils: ModuleType) -> None:
    found = utils.getResolvedOptions(["s.py", "--a", "-5", "--b", "", "--c=x=y"], ["a", "b", "c"])

    assert found == {"a": "-5", "b": "", "c": "x=y"}
