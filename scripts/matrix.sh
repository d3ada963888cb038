#!/bin/sh
# Runs the whole suite on each Python 3.11 to 3.14 that is found, each in an environment of its own, and says what ran.
#     matrix.sh MAKE
set -u
report=""
failed=0
for version in 3.11 3.12 3.13 3.14; do
    if ! python=$(sh scripts/find-python.sh "$version" 2>/dev/null); then
        report="$report
  $version  not found"
        continue
    fi
    echo "== Python $version ($python)"
    if "$1" --no-print-directory test VENV=".venv-$version" PYTHON="$python"; then
        report="$report
  $version  passed"
    else
        report="$report
  $version  FAILED"
        failed=1
    fi
done
echo "== matrix$report"
exit "$failed"
