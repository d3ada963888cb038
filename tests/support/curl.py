"""What the guides ask of curl, for machines that have none: ``-H``, ``-X``, ``-d``, ``-N`` and ``--max-time``."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request


def main(words: list[str]) -> int:
    """Ask, and print the answer. As curl has it: 22 is an answer that is an error, 28 is time that is up."""
    options = argparse.ArgumentParser()
    options.add_argument("-H", dest="headers", action="append", default=[])
    options.add_argument("-X", dest="method")
    options.add_argument("-d", dest="body")
    options.add_argument("-N", dest="streams", action="store_true")
    options.add_argument("--max-time", type=float, default=30.0)
    options.add_argument("url")
    asked = options.parse_args(words)
    headers = dict(header.split(": ", 1) for header in asked.headers)
    body = None if asked.body is None else asked.body.encode()
    request = urllib.request.Request(asked.url, body, headers, method=asked.method)
    try:
        with urllib.request.urlopen(request, timeout=asked.max_time) as answer:
            for line in answer:
                sys.stdout.write(line.decode())
    except urllib.error.HTTPError as error:
        sys.stdout.write(error.read().decode())
        return 22
    except TimeoutError:
        return 28
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
