"""Uploads in a simulated AWS: the right number of runs, and no file unseen."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tests.triggers.simulation import SETTLE, Put, Run, Simulation

SIX = [f"raw/{name}.csv" for name in ("aisles", "departments", "products", "orders", "p", "t")]
HOURS = 3600.0


def uploads(simulation: Simulation) -> list[Run]:
    """The runs that uploads started, in order."""
    runs = [run for run in simulation.runs.values() if not run.by_hand]
    return sorted(runs, key=lambda run: run.started_at)


def first_to_list(put: Put, runs: list[Run]) -> Run:
    """The run whose decision was the first to know of `put` (or of a later version)."""
    for run in runs:
        if any(key == put.key and version >= put.version for key, version in run.listing):
            return run
    raise AssertionError(f"no run was decided on with {put}")


def check(simulation: Simulation, *, one_run_a_burst: bool = True) -> None:
    """What has to hold after any history, once it is over."""
    runs = uploads(simulation)
    for put in simulation.puts:
        first_to_list(put, runs)
    for run in runs:
        assert {key for key, _ in run.listing} <= {key for key, _ in run.saw}, "it missed a file"
        for key, version in run.listing:
            assert any(k == key and v >= version for k, v in run.saw), "it missed a version"
    for before, after in pairwise(runs):
        assert before.ends_at <= after.started_at, "two runs at a time"
    for run in runs:
        assert [p for p in simulation.puts if first_to_list(p, runs) is run], "a run too many"
    if one_run_a_burst:
        for burst in {put.burst for put in simulation.puts}:
            of = {first_to_list(p, runs).name for p in simulation.puts if p.burst == burst}
            assert len(of) == 1, f"burst {burst} was taken apart: {of}"
    if not simulation.crashed:
        for run in runs:
            ended = [other.ends_at for other in simulation.runs.values()]
            before = [at for at in (*simulation.delivered, *ended) if at <= run.started_at]
            assert run.started_at - max(before) < SETTLE + 150, "it came late"
    assert not simulation.memory.pending and simulation.memory.started
    assert simulation.period == HOURS, "the schedule does not rest"


def burst(
    simulation: Simulation, at: float, number: int, keys: list[str], *, late: float = 0.0
) -> float:
    """Puts the keys with at most half a settle window between them; when the last one came."""
    for key in keys:
        simulation.after(at, lambda key=key: simulation.put(key, number, late=late))  # type: ignore[misc]
        last, at = at, at + simulation.random.uniform(0.1, SETTLE / 2)
    return last


def test_six_files_within_a_minute_give_one_run_that_sees_all_six() -> None:
    simulation = Simulation(seed=1)
    burst(simulation, 10, 0, SIX)
    simulation.run_until(simulation.now_ + 3 * HOURS)

    (run,) = uploads(simulation)
    assert {key for key, _ in run.saw} == set(SIX)
    check(simulation)


def test_files_that_come_during_a_run_give_one_more_run_afterwards() -> None:
    simulation = Simulation(seed=2, duration=(900, 900))
    last = burst(simulation, 10, 0, SIX)
    simulation.after(last + 300, lambda: simulation.put("raw/late.csv", 1))
    simulation.after(last + 600, lambda: simulation.put("raw/later.csv", 2))
    simulation.run_until(simulation.now_ + 3 * HOURS)

    first, second = uploads(simulation)
    assert {key for key, _ in second.saw - first.saw} == {"raw/late.csv", "raw/later.csv"}
    check(simulation)


def test_a_run_by_hand_is_waited_for() -> None:
    simulation = Simulation(seed=3, duration=(900, 900))
    simulation.after(5, lambda: simulation.begin("by-hand", by_hand=True))
    burst(simulation, 10, 0, SIX)
    simulation.run_until(simulation.now_ + 3 * HOURS)

    (run,) = uploads(simulation)
    assert run.started_at >= simulation.runs["by-hand"].ends_at
    check(simulation)


def test_events_that_come_again_hours_later_start_nothing() -> None:
    simulation = Simulation(seed=4)
    burst(simulation, 10, 0, SIX)
    for hours in (1, 2, 3):
        simulation.after(hours * HOURS, simulation._deliver)
    simulation.run_until(simulation.now_ + 6 * HOURS)

    assert len(uploads(simulation)) == 1
    check(simulation)


def test_without_an_event_nothing_is_started() -> None:
    """As after a deployment with files that were there before."""
    simulation = Simulation(seed=5)
    simulation.objects["raw/old.csv"] = Put("raw/old.csv", 1, 0.0, 0, 0.0)
    simulation.run_until(simulation.now_ + 24 * HOURS)
    assert simulation.runs == {}


@pytest.mark.parametrize("seed", range(100))
def test_any_history_gives_the_right_runs(seed: int) -> None:
    """Bursts, some of them during runs, with late, doubled and reordered events, crashes of the
    function at random calls, runs by hand, files that are put again, and files that are put in the
    moment in which a run is decided on."""
    chance = random.Random(seed)
    crashes = chance.choice((0.0, 0.0, 0.02, 0.1, 0.25))
    simulation = Simulation(seed, crashes, tricky=chance.choice((0, 5)))
    at = 10.0
    for number in range(chance.randint(1, 6)):
        keys = chance.sample([*SIX, *(f"raw/x{i}.csv" for i in range(6))], chance.randint(1, 8))
        at = burst(simulation, at, number, keys, late=chance.choice((0.0, 20.0, 900.0)))
        at += chance.choice((SETTLE + 5, 2 * SETTLE, 300, 1000, 3 * HOURS))
        if chance.random() < 0.2:
            by_hand = f"by-hand-{number}"
            simulation.after(
                at,
                lambda name=by_hand: simulation.begin(name, by_hand=True),  # type: ignore[misc]
            )
    simulation.run_until(simulation.now_ + at + 24 * HOURS)
    check(simulation)


@pytest.mark.parametrize("seed", range(20))
def test_large_files_in_parts_are_seen_although_their_time_is_that_of_their_begin(
    seed: int,
) -> None:
    chance = random.Random(seed)
    simulation = Simulation(seed, crashes=0.05)
    for number in range(8):
        parts = chance.uniform(0, 1800)
        simulation.after(
            chance.uniform(0, 4000),
            lambda n=number, p=parts: simulation.put(f"raw/{n}.csv", n, parts=p),  # type: ignore[misc]
        )
    simulation.run_until(simulation.now_ + 24 * HOURS)
    # When an event's handler crashes, only the file's time tells that the upload still goes on.
    check(simulation, one_run_a_burst=False)


def test_the_crashes_do_happen() -> None:
    crashed = 0
    for seed in range(20):
        simulation = Simulation(seed, crashes=0.25)
        burst(simulation, 10, 0, SIX)
        simulation.run_until(simulation.now_ + 24 * HOURS)
        check(simulation)
        crashed += simulation.crashed
    assert crashed > 100
