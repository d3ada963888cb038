"""``serve``: one fleet behind HTTP."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from opsconsole.cli.emergency_flags import emergency_flags, emergency_settings, notify_settings
from opsconsole.cli.exits import Exit
from opsconsole.cli.invocation import Invocation
from opsconsole.cli.output import complain

_LAST_PORT = 65535

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="The HTTP server: consoles, gates and clients that exist already.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, _LAST_PORT), default=3001, show_default=True, help="For everything; 0: a free one."
)
@click.option(
    "--stop-port",
    type=click.IntRange(0, _LAST_PORT),
    show_default="the one behind --port",
    help="For stops alone. Whoever knows the other one looks for it right behind.",
)
@click.option("--dev", is_flag=True, help="Without tokens: everybody on this host is admin. Loopback only.")
@click.option("--allow", multiple=True, metavar="NETWORK", help="Answer from this network only, such as 10.0.0.0/8.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="The certificate, with its chain, as PEM.")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key, where it is not in the same file.")
@click.option(
    "--hook-secret",
    type=_FILE,
    metavar="FILE",
    help="What signed hooks are believed by: a secret a line.",
)
@emergency_flags
@click.pass_obj
def serve(  # noqa: PLR0913, PLR0917 (one for each option)
    invocation: Invocation,
    host: str,
    port: int,
    stop_port: int | None,
    dev: bool,
    allow: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    hook_secret: Path | None,
    settings: tuple[str, ...],
) -> int:
    """Serve the fleet that --backend names, until a signal ends it.

    It is the keeper of that fleet as well. Any number of servers may share one database.
    """
    if dev and not _is_loopback(host):
        complain(f"--dev lets everybody in, and {host} is not this host alone: leave out --host, or --dev")
        return Exit.USAGE
    if tls_key is not None and tls_cert is None:
        complain("--tls-key is of no use without --tls-cert")
        return Exit.USAGE
    from backends.configuration import ConfigurationFault
    from backends.server.identity import networks
    from backends.server.listening import Listening
    from backends.server.running import run

    try:
        allowed = networks(allow)
    except ValueError as error:
        complain(f"--allow: {error}")
        return Exit.USAGE

    emergency, notify = emergency_settings(invocation, settings), notify_settings(invocation)
    if stop_port is None:
        stop_port = port + 1 if port else 0
    if stop_port > _LAST_PORT:
        complain(f"no port is left behind {port} for stops: name one by --stop-port, or another --port")
        return Exit.USAGE
    listening = Listening(host, port, stop_port, tls_cert, tls_key, hook_secrets=hook_secret)
    try:
        backend = invocation.settings.backend
        return run(backend, listening, dev=dev, allowed=allowed, say=invocation.say, settings=emergency, notify=notify)
    except ConfigurationFault as error:
        complain(str(error))
        return Exit.USAGE
    except OSError as error:
        complain(str(error.strerror or error))
        return Exit.REFUSED


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
