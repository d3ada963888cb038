"""No command: the console, or without a terminal the status and how to get the console."""

from __future__ import annotations

import os

from backends.configuration import PROFILE
from opsconsole.cli.invocation import Invocation, dress_of, on_terminal
from opsconsole.credential import Address, read_token


def console(invocation: Invocation) -> int:
    """Open the console; without a terminal print the status and say how to get one, exit 0."""
    if not on_terminal():
        from opsconsole.cli.commands.status import show_status

        show_status(invocation)
        invocation.say("this is no terminal: run opsconsole in one to get the console, or see opsconsole --help")
        return 0
    from opsconsole.app import run_console
    from opsconsole.cli.starting import start

    settings, profile, remarks = start(invocation)
    if settings.profile is not None:
        os.environ[PROFILE] = settings.profile  # for the keeper that it may start
    return run_console(
        Address(settings.backend, read_token(settings.token_file)),
        operator=invocation.actor,
        profile=profile,
        read_only=settings.read_only,
        dress=dress_of(settings),
        keys=settings.keys,
        remarks=remarks,
    )
