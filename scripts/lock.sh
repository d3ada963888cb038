#!/bin/sh
# Writes requirements.lock anew: everything the project runs on and is checked with, for each Python from 3.11 on and
# each platform, with the hashes of the public files and without the address of any index.
#     lock.sh [--upgrade | --upgrade-package NAME]
set -eu
command -v uv >/dev/null 2>&1 || { echo "The lock is made by uv: install it first." >&2; exit 1; }
export UV_CUSTOM_COMPILE_COMMAND="make lock"
exec uv pip compile pyproject.toml --group dev --output-file requirements.lock --quiet \
    --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links "$@"
