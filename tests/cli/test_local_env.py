"""What other clients need, in the shell's words or as a profile."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from configuration.errors import InputError
from executions.clients import Clients, Target
from rebuy.cli import local, local_env

BIN = Path(sys.executable).parent
PYTHON, AWS = (shlex.quote(str(path)) for path in (sys.executable, BIN / "aws"))
# Each writes and reads with nothing but the variables; what it prints last.
CLIENTS = {
    "boto3": f"""{PYTHON} -c '
import boto3
boto3.client("s3").create_bucket(Bucket="clients")
print(boto3.client("sts").get_caller_identity()["Arn"])'""",
    "aws": f"""echo x > "$T/x" && {AWS} s3 cp "$T/x" s3://clients/x > "$T/log" &&
{AWS} sts get-caller-identity --query Arn --output text""",
    "awswrangler": f"""{PYTHON} -c '
import awswrangler, pandas
awswrangler.s3.to_parquet(pandas.DataFrame({{"a": [1]}}), "s3://clients/a.parquet")
print(len(awswrangler.s3.read_parquet("s3://clients/a.parquet")))'""",
    "pyarrow": f"""{PYTHON} -c '
from pyarrow import fs
store, place = fs.FileSystem.from_uri("s3://clients/b")
store.open_output_stream(place).close()
print(store.get_file_info(place).size)'""",
}
ROOT = "arn:aws:iam::000000000000:root"
ANSWERS = {"boto3": ROOT, "aws": ROOT, "awswrangler": "1", "pyarrow": "0"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("env") / "home"
    local.up(folder, 0, 0.1)
    yield folder
    local.down(folder)


@pytest.mark.parametrize("client", CLIENTS)
def test_one_eval_and_any_client_works(home: Path, tmp_path: Path, client: str) -> None:
    script = f"{local_env.lines(home, 'sh')}\n{CLIENTS[client]}"
    environment = {"PATH": os.environ["PATH"], "T": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.split()[-1:] == [ANSWERS[client]], done.stderr


def test_other_keys_do_not_work_and_our_own_clients_find_theirs(home: Path) -> None:
    url = local_env.variables(home)["AWS_ENDPOINT_URL"]
    other = boto3.client(
        *("sts", "us-east-1"),
        endpoint_url=url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        other.get_caller_identity()
    ours = Clients(Target(url))
    assert ours("sts").get_caller_identity()["Account"] == "000000000000"


def test_formats(home: Path) -> None:
    url = local_env.variables(home)["AWS_ENDPOINT_URL"]
    assert f"AWS_ENDPOINT_URL={url}" in local_env.lines(home, "dotenv").splitlines()
    assert f"$env:AWS_ENDPOINT_URL = '{url}'" in local_env.lines(home, "powershell").splitlines()
    with pytest.raises(InputError, match="none of sh, dotenv, powershell"):
        local_env.lines(home, "toml")
    with pytest.raises(InputError, match="start it with `rebuy local up`"):
        local_env.variables(home.parent / "none")


def test_a_profile_is_written_beside_others(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, keys = tmp_path / "aws" / "config", tmp_path / "aws" / "credentials"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    config.parent.mkdir()
    config.write_text("# mine\n[profile work]\nregion = eu-west-1")
    keys.write_text("[work]\naws_access_key_id = real\n")

    for _ in range(2):
        local_env.write_profile(home, "rebuy")

    assert config.read_text().startswith("# mine\n[profile work]\nregion = eu-west-1\n")
    assert config.read_text().count("[profile rebuy]") == 1
    assert keys.read_text().startswith("[work]\naws_access_key_id = real\n")
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    session = boto3.Session(profile_name="rebuy")
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":root")
    with pytest.raises(InputError, match="is there already and is no local AWS's"):
        local_env.write_profile(home, "work")


def test_a_proxy_of_the_environment_is_passed_by(tmp_path: Path) -> None:
    """Nothing answers at the proxy: whatever went through it would fail."""
    dead = {"HTTP_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    script = f"""set -e
cd "$T"; rebuy local up --port 0 > up; trap 'rebuy local down > down' EXIT
eval "$(rebuy local env)"
{CLIENTS["boto3"]}; echo "$NO_PROXY"; {AWS} s3 ls"""
    done = subprocess.run(
        ["sh", "-c", script],
        env={
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "T": str(tmp_path),
            "NO_PROXY": "example.com",
            **dead,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert ROOT in done.stdout and "example.com,127.0.0.1" in done.stdout
    assert done.stdout.split()[-1] == "clients"
