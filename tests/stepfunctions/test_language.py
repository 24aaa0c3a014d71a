"""The rules of the Amazon States Language (JSONPath), each from its table of cases."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest

from localaws.stepfunctions import choice, intrinsics, item_formats, paths, payload, retry
from localaws.stepfunctions.errors import StateError, matches
from tests.conftest import cases
from tests.stepfunctions.conftest import Workflows

Json = dict[str, Any]
why = itemgetter("why")

CONTEXT = {"Execution": {"Name": "run-1"}}


def roots(value: Any) -> Json:
    return {"$": value, "$$": CONTEXT}


@pytest.mark.parametrize("case", cases("jsonpath"), ids=why)
def test_json_path(case: Json) -> None:
    if case.get("invalid"):
        with pytest.raises(paths.PathSyntaxError):
            paths.parse(case["path"])
    elif "missing" in case:
        with pytest.raises(paths.PathNotFoundError) as caught:
            paths.find(case["path"], roots(case["input"]))
        assert caught.value.reason == case["missing"]
    else:
        assert paths.find(case["path"], roots(case["input"])) == case["output"]


@pytest.mark.parametrize("case", cases("result_path"), ids=why)
def test_result_path(case: Json) -> None:
    before = repr(case["input"])
    if "error" in case:
        with pytest.raises(StateError) as caught:
            payload.put_result(case["path"], case["input"], case["result"])
        assert caught.value.error == case["error"]
    else:
        assert payload.put_result(case["path"], case["input"], case["result"]) == case["output"]
    assert repr(case["input"]) == before, "the input itself is never changed"


@pytest.mark.parametrize("case", cases("intrinsics"), ids=why)
def test_intrinsic_function(case: Json) -> None:
    if case.get("invalid"):
        with pytest.raises(intrinsics.IntrinsicSyntaxError):
            intrinsics.parse(case["call"])
        return
    call = intrinsics.parse(case["call"])
    if "error" in case:
        with pytest.raises(StateError) as caught:
            intrinsics.evaluate(call, roots(case["input"]))
        assert caught.value.error == case["error"]
        assert case["call"] in str(caught.value.cause)
    else:
        value = intrinsics.evaluate(call, roots(case["input"]))
        assert payload.dumps(value) == payload.dumps(case["output"])


def test_random_numbers_stay_in_their_range_and_follow_their_seed() -> None:
    call = intrinsics.parse("States.MathRandom(1, 4)")
    assert {intrinsics.evaluate(call, roots({})) for _ in range(200)} == {1, 2, 3}
    seeded = intrinsics.parse("States.MathRandom(1, 999, 7)")
    assert len({intrinsics.evaluate(seeded, roots({})) for _ in range(5)}) == 1


def test_there_are_the_18_functions_of_aws_and_calls_nest_ten_deep() -> None:
    assert len(intrinsics.FUNCTIONS) == 18
    assert intrinsics.evaluate(intrinsics.parse(nested(10)), roots({})) == 10
    with pytest.raises(intrinsics.IntrinsicSyntaxError, match="nested"):
        intrinsics.parse(nested(11))


def nested(depth: int) -> str:
    return "0" if depth == 0 else f"States.MathAdd(1, {nested(depth - 1)})"


@pytest.mark.parametrize("case", cases("choice_rules"), ids=why)
def test_choice_rule(case: Json) -> None:
    if "error" in case:
        with pytest.raises(StateError) as caught:
            choice.fits(case["rule"], roots(case["input"]))
        assert (caught.value.error, caught.value.cause) == ("States.Runtime", case["error"])
    else:
        assert choice.fits(case["rule"], roots(case["input"])) == case["fits"]


@pytest.mark.parametrize("case", cases("error_equals"), ids=why)
def test_error_equals(case: Json) -> None:
    flags = {key: case[key] for key in ("heartbeat", "from_task", "branch") if key in case}
    failure = StateError(case["error"], "cause", **flags)
    assert matches(case["names"], failure) == case["caught"]


@pytest.mark.parametrize("case", cases("retry_delays"), ids=why)
def test_retry_delay(case: Json) -> None:
    assert retry.delay_seconds(case["retrier"], case["used"]) == case["seconds"]


def test_full_jitter_draws_between_nothing_and_the_whole_delay() -> None:
    drawn = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high / 2

    retrier = {"JitterStrategy": "FULL", "IntervalSeconds": 8}
    assert retry.delay_seconds(retrier, 1, uniform) == 8
    assert drawn == [(0, 16)]


def test_each_retrier_counts_for_itself_and_the_first_that_fits_decides() -> None:
    retriers = [{"ErrorEquals": ["A"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"]}]
    a, b = StateError("A"), StateError("B")
    assert retry.retrier_for(retriers, [0, 0], a) == 0
    assert retry.retrier_for(retriers, [1, 0], a) is None, "it is not handed on to States.ALL"
    assert retry.retrier_for(retriers, [1, 2], b) == 1
    assert retry.retrier_for(retriers, [1, 3], b) is None
    assert retry.retrier_for([{"ErrorEquals": ["A"], "MaxAttempts": 0}], [0], a) is None


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from localaws.core.aws import start
    from tests.stepfunctions.conftest import Jobs, services

    jobs = Jobs()
    aws = start(tmp_path_factory.mktemp("aws"), services(jobs), wait_scale=0)
    yield Workflows(aws, jobs)
    aws.stop()


@pytest.mark.parametrize("case", cases("state_data"), ids=why)
def test_state_data(case: Json, shared: Workflows) -> None:
    definition = {"StartAt": "S", "States": {"S": {**case["state"], "End": True}}}
    arn = shared.begin(definition, case["input"], name="run-1")
    done = shared.wait(arn)
    if "error" in case:
        assert (done.status, done.error) == ("FAILED", case["error"])
        assert case["cause"] is None or done.cause == case["cause"]
    else:
        assert done.output == case["output"]


@pytest.mark.parametrize(
    ("text", "config", "says"),
    [
        (b"", {}, "The CSV has no headers."),
        (b"a,b\n1,2\n", {"CSVHeaderLocation": "GIVEN"}, "The CSV has no headers."),
        (b"a,b,a\n1,2,3\n", {}, "CSV headers cannot contain duplicates."),
    ],
)
def test_a_csv_whose_columns_have_no_names_has_no_items(
    text: bytes, config: Json, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        list(item_formats.items("CSV", "items.csv", iter([text]), config))
