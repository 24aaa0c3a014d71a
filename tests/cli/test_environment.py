"""`make` finds a Python, or says in one sentence how to get one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/environment.sh"
GOOD = '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "$0 $*"\nexit 9\n'
PYENV = ".pyenv/versions/3.11.7/bin/python"
BAD = "#!/bin/sh\nexit 1\n"


def made(folder: Path, programs: dict[str, str], named: str = "") -> tuple[int, str]:
    """Exit status and output with nothing but these programs in a home of a difficult name."""
    home = folder / "a home's päth"
    for name, text in programs.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(SCRIPT), named and str(home / named), str(folder / "venv"), "local"],
        env={"PATH": str(home), "HOME": str(home)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("there", "named", "taken"),
    [
        (("python3.11", "python3"), "", "python3.11"),
        (("python3",), "", "python3"),
        ((PYENV,), "", PYENV),
        (("python3.13", PYENV), "", "python3.13"),
        (("python3.11", "mine"), "mine", "mine"),
    ],
    ids=["by its number", "the default", "pyenv's", "a later one", "the one that is named"],
)
def test_it_is_found(tmp_path: Path, there: tuple[str, ...], named: str, taken: str) -> None:
    status, said = made(tmp_path, {"python3": BAD, **dict.fromkeys(there, GOOD)}, named)
    assert status == 9
    assert f"{taken} -m venv {tmp_path / 'venv'}" in said


@pytest.mark.parametrize("named", ["", "python3"], ids=["none is there", "the named one is none"])
def test_one_sentence_says_how_to_get_it(tmp_path: Path, named: str) -> None:
    status, said = made(tmp_path, {"python3": BAD}, named)
    assert status == 1
    assert said.startswith("rebuy needs Python 3.11, 3.12 or 3.13")
    assert said.count("\n") == 1
