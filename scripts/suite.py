"""Run the suite on several processes; what failed among them is run once more, alone.

    scripts/suite.py [JOBS] [pytest's arguments]

Thousands of tests start servers, keepers and terminals side by side, and a machine of two cores keeps one of them
waiting past its deadline now and then. Alone, a test has the machine for itself: what fails there fails the run. What
passes only there is named at the end, because a test that needs a quiet machine wants mending. Many failures are no
accident, and are not asked again.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

FEW = 5
TESTS_FAILED = 1
FAILED = Path(".pytest_cache/v/cache/lastfailed")
GROUP = re.compile(r"@[^]@]+$")  # what a parallel run appends to the name of a test that belongs to a group


def main(jobs: str, *arguments: str) -> int:
    FAILED.unlink(missing_ok=True)
    pytest = [str(Path(sys.executable).with_name("pytest")), *arguments]
    code = subprocess.call([*pytest, "-n", jobs, "--dist", "loadgroup"])
    if code != TESTS_FAILED or not FAILED.exists():
        return code
    failed = [GROUP.sub("", name) for name in json.loads(FAILED.read_text("utf-8"))]
    if len(failed) > FEW:
        return code
    print(f"\n{len(failed)} failed beside others, and run once more, alone:", flush=True)
    code = subprocess.call([*pytest, *failed])
    if code == 0:
        print("\nUNSTABLE, for they passed only alone:", *failed, sep="\n  ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["4"])))
