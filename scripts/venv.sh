#!/bin/sh
# Makes a virtual environment: everything in requirements.lock, checked by hash, and this project, editable.
#     venv.sh FOLDER [PYTHON]
# With uv on the path it takes seconds, with pip alone about a minute. Run again, it repairs what is there.
set -eu
venv=$1
python=${2:-$(sh scripts/find-python.sh)}
"$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || {
    echo "$python is not a working Python 3.11 or later; name another one: make PYTHON=/path/to/python3" >&2
    exit 1
}
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1

# An environment whose interpreter is gone cannot be repaired.
if [ -d "$venv" ] && ! "$venv/bin/python" -c "" 2>/dev/null; then
    rm -rf "$venv"
fi

if command -v uv >/dev/null 2>&1; then
    echo "Setting up $venv with uv and $python"
    [ -d "$venv" ] || uv venv --quiet --python "$python" "$venv"
    uv pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements.lock
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
else
    echo "Setting up $venv with pip and $python: a minute, on a busy host several"
    [ -d "$venv" ] || "$python" -m venv "$venv" || {
        rm -rf "$venv"
        echo "$python cannot make a virtual environment: install its venv and ensurepip modules, or uv." >&2
        exit 1
    }
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    # What is never imported need not be compiled, and the rest is when it first is: as uv does it.
    "$venv/bin/python" -m pip install -qq --no-compile --require-hashes -r requirements.lock
    "$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
fi
