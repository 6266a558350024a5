#!/usr/bin/env bash
# Makes a virtual environment with the pinned development set. Usage: bootstrap.sh FOLDER
set -euo pipefail
venv=${1:?usage: bootstrap.sh FOLDER}

fail() { printf 'nebula: %s\n' "$*" >&2; exit 1; }

supported() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
        if command -v "$candidate" >/dev/null && supported "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "expected Python 3.10 or newer, found $(python3 --version 2>&1 || echo none):" \
        "install one (Debian: apt install python3 python3-venv) or name it with PYTHON=/path/to/python3."
}

if [[ ! -x $venv/bin/python ]] || ! supported "$venv/bin/python"; then
    python=$(find_python)
    echo "==> $venv: a virtual environment with $("$python" --version)"
    "$python" -m venv --clear "$venv" ||
        fail "could not make $venv: the module venv is missing (Debian: apt install python3-venv)."
fi

# durable-rules has no wheel and is compiled; on 3.13 and newer it is not used.
if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
    command -v "${CC:-gcc}" >/dev/null || command -v cc >/dev/null ||
        fail "expected a C compiler to build durable-rules, found none (Debian: apt install gcc python3-dev)."
    "$venv/bin/python" -c 'import sys, sysconfig, pathlib
sys.exit(not pathlib.Path(sysconfig.get_paths()["include"], "Python.h").exists())' ||
        fail "expected Python.h to build durable-rules, found none (Debian: apt install python3-dev)."
fi

echo "==> installing the pinned development set (torch is the largest; a few minutes the first time)"
"$venv/bin/python" -m pip install --disable-pip-version-check -c requirements/constraints.txt -e '.[dev]'
echo "==> $venv is ready"
