"""The console beside a local AWS: starts with it, is told of, keeps its port, ends with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from configuration.errors import RebuyError
from rebuy.cli import console_process, demo, local
from rebuy.cli.app import app
from rebuy.cli.background import Background, alive
from rebuy.cli.executions import tell_console
from rebuy.cli.options import connect


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("beside") / ".localaws"
    local.up(folder, 0, 0.02, policies="off")
    with socket.socket() as free:  # not the default port: that may be somebody else's
        free.bind(("127.0.0.1", 0))
        (folder / "console.port").write_text(str(free.getsockname()[1]))
    yield folder
    local.down(folder)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def port_of(console: console_process.ConsoleProcess) -> int:
    return int(console.url.rstrip("/").rpartition(":")[2])


def test_console_of_a_home_is_one_and_shows_its_aws(home: Path) -> None:
    console = console_process.up(home)

    assert console_process.up(home) == console
    with urllib.request.urlopen(f"{console.url}api/connection") as answer:
        server = local.find(home)
        assert server is not None
        assert json.load(answer)["endpoint"] == server.url
    told = CliRunner().invoke(app, ["local", "status", "--home", str(home)])
    assert json.loads(told.stdout)["console_url"] == console.url


def test_consoles_that_are_started_at_once_are_one_and_a_damaged_port_is_no_matter(
    home: Path,
) -> None:
    kept = (home / "console.port").read_text()
    console_process.down(home)
    (home / "console.port").write_text("")
    with ThreadPoolExecutor(3) as pool:
        assert len({console.result().pid for console in [
            pool.submit(console_process.up, home) for _ in range(3)
        ]}) == 1  # fmt: skip
    console_process.down(home)
    (home / "console.port").write_text(kept)


def test_console_comes_back_at_its_port_or_the_next_free_one(home: Path) -> None:
    port = port_of(console_process.up(home))
    assert console_process.down(home)
    assert console_process.find(home) is None and not console_process.down(home)

    assert port_of(console_process.up(home)) == port
    console_process.down(home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        moved = port_of(console_process.up(home))
    assert moved > port
    assert (home / "console.port").read_text() == str(moved)


def test_commands_lead_to_the_page_of_the_execution(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.console import machines
    from tests.console.conftest import client

    monkeypatch.chdir(home.parent)
    server = local.find(home)
    assert server is not None
    console = console_process.up(home)
    steps = client("stepfunctions", server.url)
    made = steps.create_state_machine(
        name="failing", definition=machines.failing(), roleArn=machines.ROLE
    )
    arn = steps.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]

    while steps.describe_execution(executionArn=arn)["status"] == "RUNNING":
        time.sleep(0.05)

    wrote = CliRunner().invoke(
        app, ["audit", arn, "--html", "report.html", "--endpoint-url", server.url]
    )

    assert wrote.exit_code == 0, wrote.output
    assert wrote.stdout.startswith("report.html: ")
    assert "NoSuchBucket" in (home.parent / "report.html").read_text()
    nobody = CliRunner().invoke(
        app, ["audit", f"{arn}x", "--html", "none.html", "--endpoint-url", server.url]
    )
    assert nobody.exit_code == 1 and not (home.parent / "none.html").exists()
    capsys.readouterr()
    tell_console(connect(endpoint_url=server.url), arn)
    told = capsys.readouterr().err
    assert told.strip() == f"{console.url}#/execution/{arn.replace(':', '%3A')}"


def test_browser_opens_only_before_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    monkeypatch.setenv("DISPLAY", ":0")

    demo.watch_in_browser("http://127.0.0.1:1/", True)  # standard error is no terminal here
    assert shown == []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    demo.watch_in_browser("http://127.0.0.1:1/", False)
    assert shown == []
    demo.watch_in_browser("http://127.0.0.1:1/", True)
    assert shown == ["http://127.0.0.1:1/"]
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    demo.watch_in_browser("http://127.0.0.1:2/", True)
    assert shown == ["http://127.0.0.1:1/"]


def test_console_ends_with_its_aws_even_when_that_is_killed(home: Path) -> None:
    console = console_process.up(home)
    server = local.find(home)
    assert server is not None

    os.kill(server.pid, signal.SIGKILL)

    assert gone(console.pid)
    assert local.find(home) is None


def test_down_ends_both(home: Path) -> None:
    server = local.up(home, None, 0.02, policies="off")
    console = console_process.up(home)

    stopped = CliRunner().invoke(app, ["local", "down", "--home", str(home)])

    assert stopped.stdout == "stopped\n"
    assert not alive(console.pid) and not alive(server.pid)


def test_a_process_that_does_not_come_up_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote = tmp_path / "pid"
    (tmp_path / "silent.py").write_text(
        f"import os, pathlib, time; pathlib.Path({str(wrote)!r}).write_text(str(os.getpid()))\n"
        "print('still thinking', flush=True); time.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = Background(
        "The local AWS", tmp_path / "server.json", tmp_path / "log", local.Server,
        answers=lambda server: True, start_seconds=1.5, stop_seconds=5.0,
    )  # fmt: skip

    with pytest.raises(RebuyError, match="The local AWS did not start"):
        process.up("silent")

    assert gone(int(wrote.read_text()))
