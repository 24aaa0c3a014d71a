"""One door to AWS: whose region, whose keys, which endpoint."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from configuration.connection import Connection
from configuration.errors import InputError
from configuration.settings import read
from console.__main__ import main
from executions.clients import Clients, NoRegion, Target
from localaws.core.server import BackgroundServer, bind
from rebuy.cli.app import app

VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile `work` of eu-west-1, and none other, with nothing else in the environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n[profile bare]\noutput = json\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    return "work"


def test_the_profiles_own_region_counts_in_both_consoles(profile: str) -> None:
    assert Clients(Target(profile=profile)).region == "eu-west-1"
    assert Connection(read(profile=profile)).region == "eu-west-1"


def test_flag_over_environment_over_profile(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert Clients(Target(profile=profile)).region == "eu-north-1"
    assert Connection(read(profile=profile)).region == "eu-north-1"
    assert Connection(read(profile=profile, region="us-west-2")).region == "us-west-2"


def test_without_any_region_it_says_so_and_starts_nothing(
    profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NoRegion, match="give --region"):
        _ = Clients(Target(profile="bare")).region
    assert main(["--profile", "bare"]) == 1
    assert "give --region" in capsys.readouterr().err
    for command in (["console", "--port", "0"], ["status"]):
        done = CliRunner().invoke(app, [*command, "--profile", "bare"])
        assert isinstance(done.exception, InputError)
        assert "give --region" in str(done.exception)


def test_real_keys_never_reach_an_endpoint_on_this_machine(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    local = Clients(Target("http://127.0.0.1:1", profile=profile))
    away = Clients(Target("http://aws.example", region="us-east-1"))

    assert local.region == "us-east-1"
    assert _key(local) == "localaws"
    assert _key(away) == "AKIAREAL"


def test_a_client_made_while_the_local_aws_is_down_has_its_key_when_it_is_up(
    profile: str, tmp_path: Path
) -> None:
    """Its first attempts find nobody; the one that finds the server must be signed with its key."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "credentials.json").write_text(
        json.dumps({"AccessKeyId": "AKIAHOME", "SecretAccessKey": "of the home"})
    )
    clients = Clients(Target(f"http://127.0.0.1:{port}"))
    assert _key(clients) == "localaws"  # whoever asks now reaches nobody

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"home": str(tmp_path)}).encode()]

    with BackgroundServer(bind(port), answer, poll_seconds=0.01):
        assert _key(clients) == "AKIAHOME"


def _key(clients: Clients) -> str:
    """What a call would be signed with."""
    return str(clients("s3")._request_signer._credentials.get_frozen_credentials().access_key)
