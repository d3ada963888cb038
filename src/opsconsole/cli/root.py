"""The root command: which commands there are, and the global options that each of them takes.

Listing commands imports none of them; a command's module is imported when the command runs.
"""

from __future__ import annotations

import importlib
from typing import Any, Final, NamedTuple

import click
from click.core import ParameterSource

from opsconsole import __version__
from opsconsole.cli.invocation import Invocation
from opsconsole.settings import SETTINGS, Setting


class Entry(NamedTuple):
    """A command: where it lives in `opsconsole.cli.commands`, and its line in the list."""

    place: str
    help: str
    hidden: bool = False


COMMANDS: Final = {
    "demo": Entry("demo:demo", "A live fleet of worker processes, and the console over it."),
    "script": Entry("script:script", "The console without a terminal, driven by a script."),
    "serve": Entry("serve:serve", "The HTTP server: consoles, gates and clients that exist already."),
    "status": Entry("status:status", "Whether the fleet runs, what holds it, and who has acknowledged."),
    "why": Entry("why:why", "Every blocker of a scope, and what would remain after each release."),
    "check": Entry("check:check", "One decision, as a worker would get it."),
    "pause": Entry("holding:pause", "Place operator holds."),
    "resume": Entry("holding:resume", "Release operator holds, whoever placed them."),
    "stop": Entry("stop:stop", "Emergency stop."),
    "recover": Entry("recover:recover", "The only way back from an emergency."),
    "audit": Entry("audit:audit", "The journal: list, verify, export, show, redact."),
    "watch": Entry("watch:watch", "Events as JSON lines, for ever."),
    "apply": Entry("configuration:apply", "Make the fleet have all that a document names."),
    "export": Entry("configuration:export", "The configuration of the fleet as one YAML document."),
    "sites": Entry("sites:sites", "Sites: add, rm, pause, resume, list, show."),
    "flags": Entry("flags:flags", "Feature flags: add, on, off, list, show."),
    "limits": Entry("limits:limits", "Rate limits: add, set, reset, list, show."),
    "workflows": Entry("workflows:workflows", "Workflows: add, on, off, list, show."),
    "holds": Entry("holds:holds", "Holds in force: list, show."),
    "workers": Entry("workers:workers", "Workers: list, show, forget."),
    "emergencies": Entry("emergencies:emergencies", "Emergencies: list, show, ack, own, explain."),
    "recoveries": Entry(
        "recoveries:recoveries", "Recoveries: list, show, procedures, hold, continue, abort, rollback."
    ),
    "services": Entry("services:services", "Services: add, rm, check, list, show."),
    "notify": Entry("notify:notify", "Channels of notifications: list, test."),
    "keys": Entry("keys:keys", "Encryption at rest: create, list, rotate, prune."),
    "triggers": Entry("triggers:triggers", "Triggers: add, rm, on, off, bound, fire, test, rehearse, list, show."),
    "token": Entry("token:token", "Tokens for servers: create, list, revoke."),
    "whoami": Entry("whoami:whoami", "Who acts here, in which role, and how far it reaches."),
    "doctor": Entry("doctor:doctor", "Look at everything that could go wrong here."),
    "info": Entry("info:info", "Versions, paths and the backend in use."),
    "config": Entry("config:config", "The settings that hold here: show, validate."),
    "completion": Entry("completion:completion", "The completion script of a shell."),
    "keeper": Entry("keeper:keeper", "The process that runs the loops of one fleet.", hidden=True),
}


class LazyRoot(click.Group):
    """The group of all commands, which imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table, without what is hidden."""
        return [name for name, entry in COMMANDS.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is no such."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        found = getattr(importlib.import_module(f"opsconsole.cli.commands.{module}"), attribute)
        assert isinstance(found, click.Command), "the table names commands only"
        return _with_global_options(found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


def global_options(*, hidden: bool = False) -> list[click.Option]:
    """Click's options for the table of settings. They are remembered wherever they stand; the last one counts."""
    return [_option(setting, hidden=hidden) for setting in SETTINGS]


def _option(setting: Setting, *, hidden: bool) -> click.Option:
    names = [setting.flag, setting.short] if setting.short else [setting.flag]
    attributes: dict[str, Any] = {"help": setting.help, "expose_value": False, "callback": _remember, "hidden": hidden}
    if setting.kind == "switch":
        if setting.key == "read_only":
            names = [f"{setting.flag}/--no-read-only"]
        return click.Option(names, is_flag=True, default=False, **attributes)
    kind = click.Choice(setting.choices) if setting.kind == "choice" else click.STRING
    return click.Option(names, type=kind, metavar=setting.metavar, **attributes)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    assert param.name is not None
    if ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
        ctx.ensure_object(Invocation).flags[param.name] = value
    return value


def _with_global_options(command: click.Command) -> click.Command:
    """The command, and all below it, taking global options too; they are listed once, by ``opsconsole --help``."""
    if not any(param.name == SETTINGS[0].key for param in command.params):
        command.params.extend(global_options(hidden=True))
        command.epilog = command.epilog or "Global options (opsconsole --help) may stand here too."
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _with_global_options(below)
    return command


@click.group(
    cls=LazyRoot,
    invoke_without_command=True,
    params=[*global_options()],
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 100},
)
@click.version_option(__version__, message="opsconsole %(version)s")
@click.pass_context
def root(ctx: click.Context) -> int | None:
    """Pause, limit and stop a fleet of workers, and see which of them really stopped.

    Without a command: the console. The exit codes are documented; data goes to stdout, narration to stderr.
    """
    if ctx.invoked_subcommand is not None:
        return None
    from opsconsole.cli.commands.console import console

    return console(ctx.ensure_object(Invocation))
