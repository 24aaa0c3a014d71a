"""A local AWS that is suspended, killed, or in a folder of the user's: told and ended as it is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configuration.connection import Connection
from configuration.errors import InputError, RebuyError
from configuration.settings import Settings
from localaws.core import orphans
from localaws.core.home import claim, holder
from rebuy.cli import console_process, local
from rebuy.cli.app import app
from rebuy.cli.background import alive
from tests.functions.conftest import ROLE, create, invoke

STARTER = """
import os, subprocess
def handler(event, context):
    own = [subprocess.Popen(["sleep", "300"], start_new_session=apart).pid for apart in (0, 1)]
    return [os.getpid(), *own]
"""


def family(home: Path) -> list[int]:
    """A function's process of this home, and two processes that it started."""
    server = local.find(home)
    assert server is not None
    connection = Connection(Settings(endpoint_url=server.url))
    create(connection, "starter", STARTER)
    error, pids = invoke(connection, "starter")
    assert error is None and all(map(alive, pids))
    return list(pids)


def all_end(pids: list[int]) -> bool:
    deadline = time.monotonic() + 60
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in a folder where somebody works."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "code.py").write_text("mine")
    (tmp_path / "thesis.txt").write_text("mine")
    yield tmp_path
    local.down(tmp_path)


def test_reset_leaves_what_the_home_did_not_make(home: Path) -> None:
    local.up(home, 0, 0, policies="off")

    local.reset(home)

    assert sorted(path.name for path in home.rglob("*")) == ["code.py", "src", "thesis.txt"]


def test_folder_whose_files_would_be_a_homes_is_refused(home: Path) -> None:
    (home / "functions").mkdir()
    with pytest.raises(InputError, match="holds functions, which no local AWS made"):
        local.up(home, 0, 0, policies="off")
    assert not (home / "server.log").exists()


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_what_a_server_started_ends_with_it(home: Path, number: signal.Signals) -> None:
    pid = local.up(home, 0, 0, policies="off").pid
    pids = family(home)

    os.kill(pid, number)

    assert all_end([pid, *pids])


def test_down_ends_what_a_server_left_that_was_killed_with_its_guard(home: Path) -> None:
    pid = local.up(home, 0, 0, policies="off").pid
    pids = family(home)
    guards = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            if orphans.home_mark(home).encode() in (folder / "cmdline").read_bytes():
                guards.append(int(folder.name))
    assert len(guards) == 1

    for each in (*guards, pid):
        os.kill(each, signal.SIGKILL)
    assert all_end([pid]) and all(map(alive, pids[1:]))  # the function's own notices
    while holder(home) is not None:
        time.sleep(0.01)
    assert not local.down(home)

    assert all_end(pids)


def test_suspended_server_runs_and_is_ended_before_its_state(home: Path) -> None:
    pid = local.up(home, 0, 0, policies="off").pid
    pids = family(home)
    os.kill(pid, signal.SIGSTOP)

    assert local.describe(home) == {
        "running": True, "home": str(home), "pid": pid, "answers": False
    }  # fmt: skip
    local.reset(home)

    assert not alive(pid) and all_end(pids)
    assert not (home / "documents.sqlite").exists() and (home / "thesis.txt").exists()


def test_server_that_does_not_answer_is_not_started_twice(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = local.up(home, 0, 0, policies="off").pid
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(local, "START_SECONDS", 0.1)

    with pytest.raises(RebuyError, match=rf"runs \(process {pid}\) and does not answer"):
        local.up(home, 0, 0, policies="off")

    began = time.monotonic()
    assert local.down(home) and not alive(pid)
    assert time.monotonic() - began < local.STOP_SECONDS / 2  # it ended in order


def test_server_that_is_starting_runs(home: Path) -> None:
    command = [sys.executable, "-m", "localaws", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while holder(home) is None:
            assert process.poll() is None
        assert local.describe(home)["pid"] == process.pid
        assert local.up(home, None, 0).pid == process.pid  # waits for it
        assert local.down(home) and process.wait(10) == 0


def test_of_four_that_start_it_at_once_one_does_and_all_have_it(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        ups = [pool.submit(local.up, home, 0, 0, policies="off") for _ in range(4)]
    pids = {up.result().pid for up in ups}

    assert pids == {holder(home)}


def test_modules_in_the_folder_of_the_user_are_not_ours(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "logging.py", "localaws.py", "rebuy.py", "console.py"):
        (home / name).write_text("raise SystemExit('mine')")
    monkeypatch.chdir(home)

    server = local.up(home / "state", 0, 0, policies="off")
    assert console_process.up(home / "state").endpoint_url == server.url
    expression = "{% $match('aaa', /(a+)+/).match %}"  # evaluated in a process of its own
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": expression, "End": True}
    machine = json.dumps({"StartAt": "A", "States": {"A": state}})
    client = Connection(Settings(endpoint_url=server.url)).client("stepfunctions")
    made = client.create_state_machine(name="m", roleArn=ROLE, definition=machine)
    arn = client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    while (tried := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.02)
    assert json.loads(tried["output"]) == "aaa"
    local.down(home / "state")


def test_a_service_that_lost_its_store_is_told_by_up_and_status(home: Path) -> None:
    local.up(home, 0, 0, policies="off")
    local.down(home)
    (home / "logs.sqlite").unlink()

    done = CliRunner().invoke(app, ["local", "up", "--home", str(home), "--policies", "off"])

    assert done.exit_code == 0
    assert f"logs did not start: {home / 'logs.sqlite'} is gone" in done.stderr.replace("\n", " ")
    told = local.describe(home)["failed"]
    assert isinstance(told, dict) and list(told) == ["logs"]


def test_a_server_of_other_code_is_told_by_up_and_status(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.up(home, 0, 0)
    assert "other_code" not in local.describe(home)

    monkeypatch.setattr(local, "fingerprint", lambda: "after a git pull")
    done = CliRunner().invoke(app, ["local", "up", "--home", str(home)])

    assert done.exit_code == 0
    assert "it runs other code than is here now" in done.stderr.replace("\n", " ")
    assert local.describe(home)["other_code"] is True


def test_of_many_that_make_a_folder_a_home_at_once_none_is_refused(tmp_path: Path) -> None:
    for number in range(20):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(claim, [tmp_path / str(number)] * 8))


def test_a_command_without_an_address_names_the_local_aws_that_runs_beside_it(
    tmp_path: Path,
) -> None:
    def status() -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from rebuy.cli.app import main; main()", "status"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        return done.stderr

    assert status() == (
        "rebuy: No AWS region: give --region, set AWS_REGION, or name one in the profile.\n"
    )
    assert not (tmp_path / ".localaws").exists()
    local.up(tmp_path / ".localaws", 0, 0)
    try:
        assert 'eval "$(rebuy local env)"' in status()
    finally:
        local.down(tmp_path / ".localaws")


def test_a_persons_profile_is_nothing_to_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-file-has-it")
    assert local.up(home, 0, 0, policies="off").pid == holder(home)
