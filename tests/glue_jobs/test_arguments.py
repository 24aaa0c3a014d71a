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


# What is in every result, named or not (awslabs/aws-glue-libs, `awsglue.utils`).
OWN = {
    "job_bookmark_option": "job-bookmark-disable",
    **dict.fromkeys(["job_bookmark_from", "job_bookmark_to", "JOB_ID", "JOB_RUN_ID"]),
    **dict.fromkeys(["SECURITY_CONFIGURATION", "encryption_type", "enable_data_lineage"]),
    **dict.fromkeys(["TempDir", "RedshiftTempDir"]),
}


def test_the_named_values_are_texts_and_others_are_ignored(utils: ModuleType) -> None:
    found = utils.getResolvedOptions(ARGV, ["JOB_NAME", "run", "percent"])

    assert found == OWN | {"JOB_NAME": "join", "run": "r1", "percent": "10"}


def test_the_first_word_is_the_script(utils: ModuleType) -> None:
    with pytest.raises(utils.GlueArgumentError, match="required: --run"):
        utils.getResolvedOptions(["--run", "r1"], ["run"])


def test_every_name_asked_for_is_required(utils: ModuleType) -> None:
    with pytest.raises(utils.GlueArgumentError, match="required: --a, --b"):
        utils.getResolvedOptions(ARGV, ["a", "b"])


def test_the_temporary_folder_has_two_names_and_is_never_required(utils: ModuleType) -> None:
    assert utils.getResolvedOptions(["s.py"], ["TempDir"])["TempDir"] is None
    found = utils.getResolvedOptions(["s.py", "--TempDir", "s3://b/t/"], ["TempDir"])

    assert (found["TempDir"], found["RedshiftTempDir"]) == ("s3://b/t/", "s3://b/t/")


BOOKMARKS = [
    (["--job-bookmark-option", "job-bookmark-pause", "--job-bookmark-from", "a"],
     "Missing option or value for --job-bookmark-to"),
    (["--job-bookmark-from", "a", "--job-bookmark-to", "b"],
     r"Invalid option\(s\)--job-bookmark-from --job-bookmark-to"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), BOOKMARKS)
def test_a_pause_names_both_of_its_runs(utils: ModuleType, given: list[str], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        utils.getResolvedOptions(["s.py", *given], [])


def test_reserved_names_are_refused(utils: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="reserved"):
        utils.getResolvedOptions(ARGV, ["job-bookmark-option"])


def test_the_beginning_of_a_name_counts_only_if_the_script_says_so(utils: ModuleType) -> None:
    given = ["s.py", "--lake", "b"]
    with pytest.raises(utils.GlueArgumentError, match="required: --lake_bucket"):
        utils.getResolvedOptions(given, ["lake_bucket"])

    assert utils.getResolvedOptions(given, ["lake_bucket"], allow_abbrev=True)["lake_bucket"] == "b"


def test_a_value_may_look_like_a_number_or_be_empty(utils: ModuleType) -> None:
    found = utils.getResolvedOptions(["s.py", "--a", "-5", "--b", "", "--c=x=y"], ["a", "b", "c"])

    assert found == OWN | {"a": "-5", "b": "", "c": "x=y"}
