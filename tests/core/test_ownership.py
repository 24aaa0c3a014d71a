"""Whose a process is, and whose a folder: only what is ours is ended or deleted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.core import home, orphans
from localaws.core.home import Home, NotAHome
from localaws.core.processes import Processes

# A child that starts two more: one in its own group, one in a session of its own.
FAMILY = """
import subprocess, sys, time
with open(sys.argv[1], "w") as out:
    for apart in (False, True):
        print(subprocess.Popen(["sleep", "300"], start_new_session=apart).pid, file=out)
    print("whole", file=out)
if len(sys.argv) == 2:
    time.sleep(300)
"""
SERVER = """
import sys, time
from pathlib import Path
from localaws.core.processes import Processes
home = Path(sys.argv[1])
processes = Processes(home, "http://127.0.0.1:1", "us-east-1")
processes.start("child", [sys.executable, "-c", sys.argv[2], str(home / "pids")],
                env=processes.environment(), cwd=home)
time.sleep(300)
"""


def pids_of(file: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while not file.exists() or "whole" not in file.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(line) for line in file.read_text().splitlines()[:-1]]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(pids: list[int], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(running, pids))


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that no home started, as another home's child would look: in its own group too."""
    other = {**os.environ, orphans.VARIABLE: orphans.new_mark(Path("/another/home"))}
    with subprocess.Popen(["sleep", "300"], env=other, start_new_session=True) as process:
        yield process.pid
        process.kill()


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_children_and_theirs_end_however_their_server_ends(
    tmp_path: Path, stranger: int, number: signal.Signals
) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path), FAMILY])
    family = pids_of(tmp_path / "pids")
    children = orphans.marked(orphans.home_mark(tmp_path))
    assert set(family) < set(children) and len(children) == 3

    server.send_signal(number)
    server.wait()

    assert all_end(children)
    assert running(stranger)


def test_next_start_ends_what_a_server_and_its_guard_left(tmp_path: Path, stranger: int) -> None:
    mark = orphans.new_mark(tmp_path)
    left = subprocess.Popen(["sleep", "300"], env={**os.environ, orphans.VARIABLE: mark})

    Processes(tmp_path, "http://127.0.0.1:1", "us-east-1").clean_up()

    assert left.wait(60) == -signal.SIGKILL
    assert running(stranger)


def test_stranger_with_the_id_of_a_child_that_ended_lives(tmp_path: Path, stranger: int) -> None:
    processes = Processes(tmp_path, "http://127.0.0.1:1", "us-east-1")
    child = processes.start("child", ["true"], env={}, cwd=tmp_path)
    assert child.wait(60) == 0
    child.pid = stranger  # the system gives ids again

    child.stop(grace_seconds=0)
    processes.stop_all()
    processes.clean_up()

    assert running(stranger)


def test_what_a_child_leaves_in_its_group_ends_with_it(tmp_path: Path) -> None:
    processes = Processes(tmp_path, "http://127.0.0.1:1", "us-east-1")
    child = processes.start(
        "child",
        [sys.executable, "-c", FAMILY, str(tmp_path / "pids"), "and ends"],
        env=processes.environment(),
        cwd=tmp_path,
    )
    assert child.wait(10) == 0
    in_group, apart = pids_of(tmp_path / "pids")

    assert all_end([in_group])
    processes.stop_all()  # and the one in a session of its own ends with the server
    assert all_end([apart])


def test_processes_are_recognised_without_proc_too(tmp_path: Path) -> None:
    mark = orphans.new_mark(tmp_path)
    with subprocess.Popen(["sleep", "300"], env={orphans.VARIABLE: mark}) as process:
        found = {pid for pid, text in orphans._environments_by_ps() if mark.encode() in text}
        process.kill()
    assert found == {process.pid}


def test_folder_with_something_of_a_homes_name_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "train.py").write_text("mine")

    with pytest.raises(NotAHome, match=r"holds training, which no local AWS made"):
        Home(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["training"]


def test_home_makes_only_what_a_reset_removes(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("mine")
    place = Home(tmp_path)
    place.file("documents.sqlite").write_bytes(b"state")
    with pytest.raises(ValueError, match="'elsewhere' is not among what a home holds"):
        place.directory("elsewhere")

    home.remove(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_folder_that_is_no_home_and_a_home_in_use_are_not_removed(tmp_path: Path) -> None:
    with pytest.raises(NotAHome, match="nothing was deleted"):
        home.remove(tmp_path)
    assert tmp_path.exists()

    Home(tmp_path)
    with home.locked(tmp_path):
        assert home.holder(tmp_path) == os.getpid()
        with pytest.raises(BlockingIOError):
            home.remove(tmp_path)
        assert home.is_home(tmp_path)
    assert home.holder(tmp_path) is None
