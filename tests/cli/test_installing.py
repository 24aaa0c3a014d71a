"""The set-up installs by uv, told what pip is told on the machine; pip is the way without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools import install

ROOT = Path(__file__).parents[2]
PYPI = {"url": install.PYPI, "default": True}
CERTIFICATES = {"REQUESTS_CA_BUNDLE": "/etc/ca.pem"}
# What pip is told: https://pip.pypa.io/en/stable/cli/pip_install/. What uv is then:
# https://docs.astral.sh/uv/reference/settings/, https://docs.astral.sh/uv/reference/environment/.
CASES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, Any], dict[str, str]]] = {
    "nothing": ({}, {}, {"index": [PYPI]}, {}),
    "an index": (
        {"index-url": "https://me:secret@mirror/simple"}, {},
        {"index": [{"url": "https://me:secret@mirror/simple", "default": True}]}, {},
    ),
    "more of them, all equal": (
        {"extra-index-url": "\nhttps://one/simple\nfile:///two"}, {},
        {"index": [{"url": "https://one/simple"}, {"url": "file:///two"}, PYPI],
         "index-strategy": "unsafe-best-match"}, {},
    ),
    "a folder alone": (
        {"no-index": "true", "find-links": "/wheels https://host/more"}, {},
        {"no-index": True, "find-links": ["/wheels", "https://host/more"]}, {},
    ),
    "an option that is off": ({"no-index": "0"}, {}, {"no-index": None}, {}),
    "a host that is trusted": (
        {"trusted-host": "mirror host:8080"}, {},
        {"allow-insecure-host": ["mirror", "host:8080"]}, {},
    ),
    "a proxy": (
        {"proxy": "http://me@proxy:3128"}, {},
        {"https-proxy": "http://me@proxy:3128", "http-proxy": "http://me@proxy:3128"}, {},
    ),
    "certificates": ({"cert": "/etc/c.pem"}, CERTIFICATES, {}, {"SSL_CERT_FILE": "/etc/c.pem"}),
    "a folder of them": ({"cert": "/"}, {}, {}, {"SSL_CERT_DIR": "/"}),
    "those that Requests takes": ({}, CERTIFICATES, {}, {"SSL_CERT_FILE": "/etc/ca.pem"}),
    "the client's": ({"client-cert": "/me.pem"}, {}, {}, {"SSL_CLIENT_CERT": "/me.pem"}),
    "patience": (
        {"timeout": "15.5", "retries": "2"}, {}, {},
        {"UV_HTTP_TIMEOUT": "15", "UV_HTTP_RETRIES": "2"},
    ),
    "constraints beside ours": (
        {"constraint": "/etc/pip/constraints.txt"}, {}, {},
        {"UV_CONSTRAINT": "constraints.txt /etc/pip/constraints.txt"},
    ),
    "no cache": ({"no-cache-dir": "1"}, {}, {"no-cache": True}, {}),
    "what does not matter": ({"quiet": "1", "log": "/tmp/log", "index-url": " "}, {},
        {"index": [PYPI]}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("pip", "environment", "settings", "variables"), CASES.values(), ids=CASES)
def test_uv_is_told_what_pip_is(
    pip: dict[str, str],
    environment: dict[str, str],
    settings: dict[str, Any],
    variables: dict[str, str],
) -> None:
    toml, said = install.words(pip, environment)
    found = tomllib.loads(toml)
    for index in found["index"]:
        assert "immutable" in index.pop("cache-control")["files"]
    assert {name: found.get(name) for name in settings} == settings
    ours = {"UV_CONSTRAINT": "constraints.txt", "UV_BUILD_CONSTRAINT": "constraints.txt"}
    assert said == {**ours, **variables}


@pytest.mark.parametrize("name", ["pre", "no-binary", "require-hashes", "what-comes-next"])
def test_a_setting_that_uv_has_not_is_never_left_out(name: str) -> None:
    with pytest.raises(install.WithoutUv, match=name):
        install.words({name: "1"}, {})


def test_pips_variables_are_above_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nretries = 1\ntimeout = 3\nproxy = http://one\n"
        "[install]\nretries = 2\nextra-index-url =\n  http://a\n  http://b\n"
        "[list]\nformat = json\n"
    )
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "http://it's")
    told = install.told()
    assert told["retries"] == "2"
    assert told["timeout"] == "3"
    assert told["proxy"] == "http://it's"
    assert told["extra-index-url"].split() == ["http://a", "http://b"]
    assert "format" not in told


@pytest.mark.parametrize("by", ["uv", "pip"])
def test_a_project_is_installed_from_the_index(tmp_path: Path, by: str) -> None:
    project = tmp_path / "a project's päth"
    (project / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools/install.py", project / "tools")
    (project / "constraints.txt").write_text("six==1.16.0\nsetuptools==80.8.0\n")
    (project / "setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='mine', version='1', py_modules=[], extras_require={'local': ['six']})\n"
    )
    python = project / ".venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    done = subprocess.run(
        [python, "-m", "tools.install", "local"],
        cwd=project,
        # pip has it, uv not: then pip installs.
        env={**os.environ, **({"PIP_PRE": "0"} if by == "pip" else {})},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("uv has no word for pip's setting pre." in done.stdout) == (by == "pip")
    (packages,) = (project / ".venv/lib").glob("python3.*/site-packages")
    for name in ("six-1.16.0", "mine-1"):
        assert (packages / f"{name}.dist-info/INSTALLER").read_text().strip() == by
    assert not list((project / ".venv").glob("uv-*"))
