"""Installs rebuy and what it needs into the environment of the Python that runs this.

    python -m tools.install local,test

By uv, which takes seconds where pip takes minutes. uv does not read what pip is told on a machine
(index, proxy, certificates: files and PIP_* variables), so `pip config list` is put in its words.
Where it has none, where there is no uv, or where it fails, pip installs. Needs nothing but pip.
https://docs.astral.sh/uv/reference/settings/, https://pip.pypa.io/en/stable/cli/pip_install/
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

UV = "uv==0.13.9"
CONSTRAINTS = "constraints.txt"
PYPI = "https://pypi.org/simple"
# What PyPI says itself, where the index between does not: a released file never changes.
CACHED = 'cache-control = { api = "max-age=600", files = "max-age=365000000, immutable" }'
# These say nothing of what is installed, or from where.
WITHOUT_EFFECT = {
    "break-system-packages", "cache-dir", "compile", "debug", "disable-pip-version-check",
    "exists-action", "log", "no-color", "no-compile", "no-input", "no-python-version-warning",
    "no-warn-script-location", "prefer-binary", "progress-bar", "quiet", "require-virtualenv",
    "resume-retries", "root-user-action", "upgrade-strategy", "use-deprecated", "use-feature",
    "verbose",
}  # fmt: skip
PIP = (sys.executable, "-m", "pip")
INSTALL = (*PIP, "install", "--quiet", "--disable-pip-version-check", "--no-compile")


class WithoutUv(Exception):
    """Why uv does not install here."""


def told() -> dict[str, str]:
    """What pip is told for `install`: by its files and, above them, by PIP_* variables."""
    lines = [line.partition("=") for line in _run(*PIP, "config", "list").splitlines()]
    return {
        name.removeprefix(section): str(ast.literal_eval(value))
        for section in ("global.", "install.", ":env:.")
        for name, _, value in lines
        if name.startswith(section)
    }


def words(pip: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The settings of pip, and what it takes from the environment, in words of uv: a uv.toml, and
    environment variables. Raises WithoutUv for a setting that uv has no word for.
    """
    toml = ['index-strategy = "unsafe-best-match"', "system-certs = true"]  # both: as pip does
    variables = {"UV_CONSTRAINT": CONSTRAINTS, "UV_BUILD_CONSTRAINT": CONSTRAINTS}
    indexes: list[str] = []
    index = PYPI
    certificates = environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")
    for name, value in pip.items():
        if name in WITHOUT_EFFECT or not value.strip():
            continue
        match name:
            case "index-url":
                index = value
            case "extra-index-url":
                indexes = value.split()
            case "find-links":
                toml.append(f"find-links = {_quoted(value.split())}")
            case "trusted-host":
                toml.append(f"allow-insecure-host = {_quoted(value.split())}")
            case "no-index" | "no-cache-dir":
                if value.lower() in ("1", "on", "t", "true", "y", "yes"):
                    toml.append(f"{name.removesuffix('-dir')} = true")
            case "proxy":
                toml += [f"{scheme}-proxy = {_quoted(value)}" for scheme in ("http", "https")]
            case "cert":
                certificates = value
            case "client-cert":
                variables["SSL_CLIENT_CERT"] = value
            case "constraint":
                variables["UV_CONSTRAINT"] = " ".join([CONSTRAINTS, *value.split()])
            case "timeout" | "default-timeout":
                variables["UV_HTTP_TIMEOUT"] = str(int(float(value)))
            case "retries":
                variables["UV_HTTP_RETRIES"] = value
            case _:
                raise WithoutUv(f"uv has no word for pip's setting {name}.")
    if certificates:
        folder = Path(certificates).is_dir()
        variables["SSL_CERT_DIR" if folder else "SSL_CERT_FILE"] = certificates
    for url in indexes:
        toml += ["[[index]]", f"url = {_quoted(url)}", CACHED]
    toml += ["[[index]]", f"url = {_quoted(index)}", "default = true", CACHED]
    return "\n".join(toml) + "\n", variables


def _quoted(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def uv() -> Iterator[Callable[..., str]]:
    """A function that calls uv with words of a command, and returns what it printed.

    Raises WithoutUv where uv cannot be had or told; the function, where it fails, with its words.
    """
    toml, variables = words(told(), os.environ)
    with tempfile.TemporaryDirectory(prefix="uv-", dir=sys.prefix) as folder:
        _run(*INSTALL, "--target", folder, "--no-deps", "--only-binary=:all:", UV)
        settings = Path(folder) / "uv.toml"
        settings.write_text(toml, encoding="utf-8")
        program = (Path(folder) / "bin" / "uv", "--quiet", "--config-file", settings)
        yield lambda *command: _run(*program, *command, **variables)


def _run(*command: str | Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise WithoutUv(done.stderr.strip())
    return done.stdout


def by_uv(extras: str) -> None:
    """Raises WithoutUv; what uv has installed until then stays, and pip goes on from there."""
    with uv() as run:
        run("pip", "install", "--python", sys.executable, "--editable", f".[{extras}]")


def by_pip(extras: str) -> None:
    """Raises CalledProcessError; pip has said why."""
    constrained = (*INSTALL, "--constraint", CONSTRAINTS)
    subprocess.run([*constrained, "setuptools", "wheel"], check=True)
    subprocess.run([*constrained, "--no-build-isolation", "--editable", f".[{extras}]"], check=True)


def compile_modules() -> None:
    """Bytecode of all but the packages' own tests: for the tests of rebuy, whose times imports
    would disturb. A run compiles what it imports itself: a fifth of it, ten seconds once."""
    folder = sysconfig.get_path("purelib")
    command = [sys.executable, "-W", "ignore", "-m", "compileall", "-qq", "-j", "0"]
    # Some packages bring what is no Python: templates of modules, code for older ones.
    subprocess.run([*command, "-x", r"[/\\]tests?[/\\]", folder], check=False)


def main(extras: str) -> int:
    try:
        by_uv(extras)
    except (WithoutUv, OSError) as reason:
        print(f"{reason}\n== uv does not serve here: pip installs, which takes minutes", flush=True)
        try:
            by_pip(extras)
        except subprocess.CalledProcessError as failed:
            return failed.returncode
    if "test" in extras.split(","):
        compile_modules()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
