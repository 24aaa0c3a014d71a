"""The command line: what it prints, how it ends, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rebuy.cli import manual
from rebuy.cli.app import app

REBUY = [sys.executable, "-c", "from rebuy.cli.app import main; main()"]
HELP_SECONDS = 0.5  # of a processor
PATIENCE = 3  # a slower or busy one may take so many times as long
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def rebuy(
    *arguments: str, url: str = "http://127.0.0.1:9", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `url` is where it believes AWS to be."""
    return subprocess.run(
        [*REBUY, *arguments],
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "200",
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )


def assert_refused(done: subprocess.CompletedProcess[str], *says: str, code: int = 1) -> None:
    """The exit code, one message without a traceback, and nothing on standard output."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for text in says:
        assert text in done.stderr, done.stderr
    assert done.stdout == ""


def test_help_is_quick_and_names_every_command() -> None:
    times = []
    for _ in range(2):
        before = os.times()
        done = rebuy("--help")
        after = os.times()
        times.append(after.children_user - before.children_user)  # what others do is no matter
        assert done.returncode == 0
    assert min(times) < HELP_SECONDS * PATIENCE
    assert {"demo", "deploy", "destroy", "redrive", "audit"} <= set(COMMANDS)
    words = done.stdout.split()
    assert [name for name in COMMANDS if name not in words] == []


def test_help_loads_no_sdk() -> None:
    """What takes long is loaded by the commands that need it."""
    code = (
        "import sys; sys.argv = ['rebuy', '--help']\n"
        "from rebuy.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'sagemaker', 'stepfunctions', 'moto', 'duckdb', 'numpy',"
        " 'pandas', 'pyarrow', 'pyspark', 'xgboost'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.stdout


def test_unknown_command_and_option_are_usage_errors() -> None:
    assert_refused(rebuy("brew"), "No such command 'brew'", code=2)
    assert_refused(rebuy("status", "--colour"), "No such option", "--colour", code=2)


def test_nobody_at_the_endpoint_is_said_with_its_address() -> None:
    assert_refused(rebuy("status"), "http://127.0.0.1:9")


def test_wrong_settings_name_the_value(tmp_path: Path) -> None:
    (tmp_path / "rebuy.toml").write_text('stack_name = "Has Spaces"\ncolour = "red"\n')
    refused = rebuy("status", cwd=tmp_path)
    assert_refused(refused, "stack_name is 'Has Spaces'", "colour is 'red'")
    (tmp_path / "rebuy.toml").write_text("stack_name = ")
    assert_refused(rebuy("status", cwd=tmp_path), "rebuy.toml is no TOML")


def test_definition_is_printed_as_it_is_deployed() -> None:
    from workflows import purchase_prediction as workflow

    done = rebuy("definition")
    assert done.returncode == 0
    assert done.stdout.encode() == workflow.GOLDEN.read_bytes()


# -- the local AWS -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """(home, url) of a local AWS that was started with the command, without a stack."""
    home = tmp_path_factory.mktemp("cli") / "home"
    up = rebuy("local", "up", "--home", str(home), "--port", "0")
    assert up.returncode == 0, up.stderr
    url, use = up.stdout.splitlines()
    command = use.removeprefix('eval "$(rebuy ').removesuffix(')"')
    assert f"export AWS_ENDPOINT_URL='{url}'" in rebuy(*shlex.split(command)).stdout.splitlines()
    yield home, url
    rebuy("local", "down", "--home", str(home))


def test_up_again_finds_the_one_that_runs(local: tuple[Path, str]) -> None:
    home, url = local
    again = rebuy("local", "up", "--home", str(home), "--port", "0")
    assert again.returncode == 0
    assert again.stdout.splitlines()[0] == url


def test_status_says_where_it_runs(local: tuple[Path, str], tmp_path: Path) -> None:
    home, url = local
    told = json.loads(rebuy("local", "status", "--home", str(home)).stdout)
    assert told["running"] is True and told["url"] == url
    assert Path(f"/proc/{told['pid']}").exists()

    none = json.loads(rebuy("local", "status", "--home", str(tmp_path / "none")).stdout)
    assert none["running"] is False
    assert not (tmp_path / "none").exists()


def test_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = rebuy("local", "up", "--home", str(tmp_path / "home"), "--port", port)
    assert refused.returncode == 1
    assert "The local AWS did not start" in refused.stderr
    assert port in refused.stderr and "in use" in refused.stderr.lower()


@pytest.mark.parametrize(
    "command",
    [("status",), ("start",), ("watch",), ("stop",), ("audit",), ("predict", "1,2,3")],
    ids=lambda command: command[0],
)
def test_without_a_stack_every_command_says_how_to_get_one(
    local: tuple[Path, str], command: tuple[str, ...]
) -> None:
    refused = rebuy(*command, url=local[1])
    assert_refused(refused, f"There is no stack rebuy at {local[1]}; `rebuy deploy` makes it.")


def test_folder_without_one_of_the_files_is_refused_by_name(
    local: tuple[Path, str], tmp_path: Path
) -> None:
    from rebuy.data.generate import generate

    generate(20, tmp_path / "data")
    (tmp_path / "data" / "departments.csv").unlink()
    before = ("--home", str(local[0]), "--port", "0", "--no-serve", "--json")
    refused = rebuy("demo", "--data", str(tmp_path / "data"), *before)
    assert refused.returncode == 1
    assert_refused(refused, "lacks departments.csv")
    assert "Deploy" not in refused.stderr  # before anything was made


def test_what_the_commands_say_of_a_stack_without_executions(local: tuple[Path, str]) -> None:
    url = local[1]
    deployed = rebuy("deploy", "--json", url=url)
    assert deployed.returncode == 0, deployed.stderr
    told: dict[str, Any] = json.loads(deployed.stdout.splitlines()[-1])
    assert told["stack"] == "rebuy"
    assert {"ApiUrl", "SiteUrl", "LakeBucket", "StateMachineArn", "LiveAliasArn"} <= set(told)
    again = json.loads(rebuy("deploy", "--json", url=url).stdout.splitlines()[-1])
    assert again["changed"] is False

    assert rebuy("status", url=url).stdout == ""
    assert_refused(rebuy("watch", url=url), "has no execution yet; `rebuy start` begins one.")
    assert_refused(rebuy("audit", "nobody", url=url), "nobody")
    assert_refused(rebuy("status", "nobody", url=url), "There is no execution", ":nobody")
    assert_refused(rebuy("stop", "nobody", url=url), "There is no execution", ":nobody")
    assert_refused(rebuy("start", "--input", "{bad", url=url), "--input is no JSON")
    unknown = rebuy("start", "--input", '{"colour": "red"}', url=url)
    assert_refused(unknown, "--input: Unknown input colour; accepted are approval,")
    assert_refused(rebuy("predict", "1,2,3", url=url), "/predict: 4")
    assert rebuy("status", url=url).stdout == ""


def test_execution_that_fails_gives_exit_code_1(local: tuple[Path, str]) -> None:
    failed = rebuy("start", "--wait", url=local[1])  # there is no raw data
    assert failed.returncode == 1
    arn, status = failed.stdout.split()
    assert arn.startswith("arn:aws:states:us-east-1:000000000000:execution:") and status == "FAILED"
    assert "RawDataCheckFailed" in failed.stderr and "no such table" in failed.stderr

    header, line = rebuy("status", url=local[1]).stdout.splitlines()
    assert header.split() == ["STATUS", "STARTED", "TOOK", "BY", "NAME"]
    assert re.match(r"FAILED +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[\d.]+ s +hand +manual-", line)
    (known,) = json.loads(rebuy("status", "--json", "--status", "FAILED", url=local[1]).stdout)
    assert (known["execution_arn"], known["started_by"]) == (arn, "hand")
    assert rebuy("status", "--status", "RUNNING", "--json", url=local[1]).stdout == "[]\n"
    one = json.loads(rebuy("status", "latest", "--json", url=local[1]).stdout)
    assert (one["executionArn"], one["error"]) == (arn, "RawDataCheckFailed")
    watched = rebuy("watch", "--json", url=local[1])
    assert watched.returncode == 1
    steps = [json.loads(text) for text in watched.stdout.splitlines()]
    assert steps[0]["state"] == "Receive trigger" and steps[-2]["failed"]
    assert steps[-1] == {"execution_arn": arn, "status": "FAILED", "refused": []}
    stopped = json.loads(rebuy("stop", "--json", url=local[1]).stdout)
    assert stopped == {"execution_arn": arn, "stopped": False, "status": "FAILED"}


def test_every_command_has_its_place_in_the_help() -> None:
    placed = {name for commands in manual.GROUPS.values() for name in commands}
    assert placed == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_version_and_help_are_where_they_are_looked_for() -> None:
    assert re.fullmatch(
        r"rebuy \d+\.\d+\.\d+, definition [0-9a-f]{12}\n", rebuy("--version").stdout
    )
    help_ = rebuy("-h")
    assert "Exit codes: 0: well" in help_.stdout and "Executions" in help_.stdout


def runs(pid: int) -> bool:
    """Whether the process works; one that has ended may wait for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_down_stops_and_reset_deletes_only_what_is_ours(tmp_path: Path) -> None:
    home = tmp_path / "home"
    up = rebuy("local", "up", "--home", str(home), "--port", "0")
    assert up.returncode == 0, up.stderr
    pid = json.loads(rebuy("local", "status", "--home", str(home)).stdout)["pid"]

    assert rebuy("local", "down", "--home", str(home)).stdout == "stopped\n"
    assert not runs(pid)
    assert (home / "documents.sqlite").exists()
    assert rebuy("local", "down", "--home", str(home)).stdout == "was not running\n"
    assert rebuy("local", "reset", "--home", str(home), "--yes").returncode == 0
    assert not home.exists()

    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.jpg").write_bytes(b"meow")
    refused = rebuy("local", "reset", "--home", str(foreign), "--yes")
    assert_refused(refused, f"{foreign} is not the home of a local AWS; nothing was deleted.")
    assert (foreign / "cat.jpg").exists()


def test_reset_asks_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "documents.sqlite").write_bytes(b"")
    done = subprocess.run(
        [*REBUY, "local", "reset", "--home", str(home)],
        input="n\n",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 1 and home.exists()
