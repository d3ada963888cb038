#!/bin/sh
# Measures in an environment of its own, because the peers we compare with are no dependency of the project.
#     bench.sh FOLDER [PYTHON]
set -eu
sh scripts/venv.sh "$@"
if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$1/bin/python" -r bench/requirements.txt
else
    "$1/bin/python" -m pip install -qq -r bench/requirements.txt
fi
exec "$1/bin/python" bench/run.py
