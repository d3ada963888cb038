#!/bin/sh
# Prints an interpreter that can carry the project, or says in one sentence that there is none.
#     find-python.sh            the first on the path that is 3.11 or later
#     find-python.sh 3.12       one of exactly that version, also one that pyenv or uv keeps
# Every candidate is started before it is believed: a name on the path may be a shim that leads nowhere.
set -u
wanted=${1:-}

fits() {
    [ -x "$1" ] && [ ! -d "$1" ] && "$1" -c '
import sys
have, wanted = "%d.%d" % sys.version_info[:2], sys.argv[1]
sys.exit(not (have == wanted if wanted else sys.version_info >= (3, 11)))
' "$wanted" >/dev/null 2>&1
}

for name in ${wanted:+"python$wanted"} python3 python3.11 python3.12 python3.13 python3.14; do
    IFS=:
    for folder in $PATH; do
        fits "$folder/$name" && { echo "$folder/$name"; exit 0; }
    done
    unset IFS
done
for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"${wanted:-3}".*/bin/python3; do
    fits "$candidate" && { echo "$candidate"; exit 0; }
done
candidate=$(UV_PYTHON_DOWNLOADS=never uv python find --system --no-project "${wanted:->=3.11}" 2>/dev/null)
fits "$candidate" && { echo "$candidate"; exit 0; }
echo "No Python ${wanted:-3.11 or later} was found; install one, or name it: make PYTHON=/path/to/python3" >&2
exit 1
