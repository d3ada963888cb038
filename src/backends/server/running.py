"""A server as a process: in the foreground, until a signal ends it."""

from __future__ import annotations

import logging
import os
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from backends.emergency_settings import Resolved
from backends.keeper.ending import Ending, hear_of_children
from backends.keeper.room import AUTOMATICS_OFF, EngineRoom
from backends.notifiers.settings import NotifySettings
from backends.server.identity import Doorkeeper, Identify, Network, developer, login_of
from backends.server.listening import Listening
from backends.server.logs import log_to_stderr
from backends.server.serving import Serving

_ENDED_BY: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_SWITCH_S: Final = 0.0005
"""Seconds after which a thread that computes lets another one go on: a stop must not wait for a large answer."""


def run(
    url: str,
    listening: Listening,
    *,
    dev: bool = False,
    allowed: Sequence[Network] = (),
    say: Callable[[str], None],
    settings: Resolved | None = None,
    notify: NotifySettings | None = None,
) -> int:
    """Serve the fleet at ``url`` until a signal; returns 0, for to be told to end is how a server ends.

    With ``dev`` everybody at this host is let in as an admin, otherwise whoever has a token; ``allowed`` are the only
    networks from which anybody is answered, unless there are none; ``settings`` is what is set for emergencies, and
    ``notify`` whom it tells. Raises `core.errors.OpsError` where the database cannot be opened, `ConfigurationFault`
    for a file of secrets that holds none, and OSError where nobody can listen there.
    """
    os.umask(0o077)
    sys.setswitchinterval(_SWITCH_S)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    hear_of_children()
    ending = Ending(_ENDED_BY)
    log = log_to_stderr(settings.log_level if settings else logging.INFO)

    def identify(room: EngineRoom) -> Identify:
        return developer if dev else Doorkeeper(room.runtime.latest, allowed=allowed)

    serving = Serving(url, identify, listening, settings.settings if settings else None, notify)
    serving.start()
    if dev:
        say("--dev: EVERYBODY on this host is admin, as 'dev', without a token; never use this for a real fleet")
    elif not _anybody_could_ask(serving.room):
        say("nobody has a token yet; make the first one on this host, and keep what it prints:")
        backend = shlex.quote(serving.room.runtime.url)
        say(f"  opsconsole -b {backend} token create --role admin --name {login_of(os.geteuid())}")
    if not serving.room.settings.emergency_stop_enabled:
        say(AUTOMATICS_OFF)
    where = f"{'https' if listening.certificate else 'http'}://{listening.host}:{serving.port}"
    if serving.certificate is not None and (warned := serving.certificate.warning()):
        say(warned)
    say(f"serving fleet {serving.room.fleet} on {where}, stops on port {serving.stop_port}")
    ending.wait()
    say("closing")
    serving.close("a signal ended it")
    log.close()
    return 0


def _anybody_could_ask(room: EngineRoom) -> bool:
    now = datetime.now(UTC)
    return any(token.is_valid(now) for token in room.runtime.latest().tokens.values())
