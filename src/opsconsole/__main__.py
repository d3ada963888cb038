"""The program: check that the engine is ours, let a stop out before anything is loaded, then run the command line."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line of this process; returns its exit code."""
    if foreign := _foreign_core():
        print(f"opsconsole: {foreign}", file=sys.stderr)  # noqa: T201 - nothing that writes better may be imported yet
        return 2
    _drop_textual_environment()
    arguments = sys.argv[1:]
    if "stop" in arguments:
        from opsconsole.cli.stop_line import read

        if (wanted := read(arguments)) is not None:
            from opsconsole.cli.stopping import run as stop

            return stop(wanted, arguments)
    from opsconsole.hush import hushed

    with hushed(arguments):
        from opsconsole.cli.main import run

        return run(arguments)


def _foreign_core() -> str | None:
    """What is wrong with the ``core`` that this interpreter finds: a project's own package may have that name."""
    import core

    if getattr(core, "OWNER", None) == "opsconsole":
        return None
    where = getattr(core, "__file__", None) or "a folder without __init__.py"
    return f"another package called 'core' ({where}) hides ours; run opsconsole from its own environment or folder"


def _drop_textual_environment() -> None:
    """Textual's variables may press keys and change colours, so none of them reaches it from outside."""
    for name in [name for name in os.environ if name.startswith("TEXTUAL_")]:
        del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
