"""The typed scope: what stands between a person and the release of everything, or of an emergency."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core.errors import ConfirmationNeeded
from opsconsole.cli.invocation import Invocation


def confirm_scope(invocation: Invocation, scope: str, given: str | None, about: Sequence[str]) -> bool:
    """Make sure that a person means this scope; returns whether one was asked.

    ``--confirm`` decides where it is given. Otherwise a terminal asks; without one, a production profile demands
    ``--confirm`` and others go on. Raises `ConfirmationNeeded`.
    """
    if given is None and invocation.interactive:
        for line in about:
            invocation.say(f"  {line}")
        typed = str(click.prompt(f"type the scope to go on: {scope}", err=True, default="", show_default=False))
        if typed.strip() != scope:
            raise ConfirmationNeeded(
                "scope-not-typed", f"that is not the scope, which is {scope}", "nothing was released"
            )
        return True
    if given is None and invocation.settings.production:
        raise ConfirmationNeeded(
            "confirm-needed",
            f"this profile is production: releasing {scope} needs to be confirmed",
            f"say --confirm {scope!r}",
        )
    if given is not None and given != scope:
        raise ConfirmationNeeded(
            "scope-not-typed", f"--confirm {given!r} is not the scope, which is {scope}", "nothing was released"
        )
    return False
