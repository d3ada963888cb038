"""Write the parts of docs/reference that follow from the code: commands, settings, drivers and the like.

python scripts/reference.py            writes them anew
python scripts/reference.py --check    exits 1 where one of them is out of date
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

import core.capabilities  # noqa: F401 - importing it registers every command and event
from backends.drivers.base import DriverConfig
from backends.drivers.command import CommandConfig
from backends.drivers.control_file import ControlFileConfig
from backends.drivers.gate import GateConfig
from backends.drivers.health import CommandCheck, DriverCheck, FileCheck, HttpCheck, ProcessCheck, TcpCheck
from backends.drivers.http import HttpConfig
from backends.drivers.kubernetes import KubernetesConfig
from backends.drivers.process import ProcessConfig
from backends.drivers.signals import SignalConfig
from backends.drivers.systemd import SystemdConfig
from backends.emergency_settings import EmergencySettings, resolve
from backends.server.access import ROUTES
from core.authority import ENGINE_ONLY, PERMISSIONS, ROLES, commands_of, permissions_of
from core.messages import COMMANDS as KINDS
from core.messages import EVENTS, Command
from opsconsole.cli.root import COMMANDS, LazyRoot, root
from opsconsole.script.expecting import FACTS
from opsconsole.script.grammar import STEPS
from opsconsole.script.header import HEADER
from opsconsole.settings import PRODUCTION, SETTINGS

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

COMMANDS_HEAD = """# Commands

`opsconsole [GLOBAL OPTIONS] [COMMAND]`. Without a command it is the console; without a terminal, the status.

Global options ([settings.md](settings.md)) may stand before and behind the command. Data goes to stdout, narration to
stderr, the same bytes on a terminal and in a pipe apart from colour. Exit codes: [exit-codes.md](exit-codes.md). This
page is made from the program by `scripts/reference.py`.

**SELECTOR** is `--all`, or any of `--site --operation --workflow --service --dependency --campaign --account --agent
--env`, together meaning *and*; a repeated option means *or*, one hold each in one transaction. `'a*'` stands for the
registered names that match when the command is given. Names match `[A-Za-z0-9][A-Za-z0-9._~-]{0,127}` and are rejected
otherwise, never repaired. A flag and the operation it switches are one thing: either name does.

**DURATION** is `90`, `90s`, `15m`, `2h30m`; a bare number is seconds. **TIME** is `2026-11-22T14:05Z`,
`'2026-11-22 14:05'` or `14:05`, on the clock of this host where it has no zone.

**SCOPE** is what `resume --all` and `recover` ask for on a terminal: `all`, or the selector as it is printed
(`site=s1`). `--confirm` answers in advance. Without a terminal nothing is asked; a profile marked `production = true`
then demands `--confirm`.
"""

SETTINGS_HEAD = """# Settings

flag > environment > profile > user file > system file. `opsconsole config show` says what holds and where it comes
from; `opsconsole config validate` reads every layer. This page is made from the program by `scripts/reference.py`.

- user file: `$XDG_CONFIG_HOME/opsconsole/config.toml`, else `~/.config/opsconsole/config.toml`
- system file: `/etc/opsconsole/config.toml`

```toml
timeout = "5s"

[profiles.prod]
backend = "postgresql://ops@db.internal/fleet"
production = true

[profiles.audit]
backend = "sqlite:////srv/fleet/fleet.db"
read_only = true

[console]
theme = "light"

[keys]
pause = "ctrl+x"
zoom = ["Z", "f5"]
```

`theme`, `ascii` and `color` may stand under `[console]`, where people look for them. Under `[keys]` an action of the
console, by its id, gets another key or several, or with `[]` none; `:help` names the keys, the palette (`^p`) the ids.
The stop, `^c` and Esc keep theirs, and `quit` always has one. What is wrong there the console leaves out and says so,
and `config validate` exits with 2.

A console starts on a configuration that is broken, for it may be needed to stop something. What only changes how things
look is left out. Where it cannot be known which fleet is meant, it goes on with the defaults, read-only, with
`NO CONFIG` in row 2: a stop works, a release does not. Every other command refuses to run on it (exit 2).

Two settings only tighten. `read_only` from any layer holds, and only the flag `--no-read-only` loosens it; a stop is
never refused by it. `production` from any layer holds.
"""

SETTINGS_TAIL = """
`NO_COLOR` means `--color never` where nothing else is said. Variables that begin with `TEXTUAL_` are dropped at the
start. Others that are looked at: `XDG_STATE_HOME` (the embedded database `opsconsole/opsconsole.db`, the last known
state `opsgate/`), `XDG_RUNTIME_DIR` (sockets), `OPSGATE_LATCH_DIR` (latches); workers look at `OPSGATE_URL`,
`OPSGATE_WORKER` and `OPSGATE_ENV`.
"""

SETTINGS_EMERGENCY = """
## Emergencies

Fifteen settings with their own names and units: flag (`serve --set NAME=VALUE`, also of `config show` and `config
validate`) > environment > profile > user file > system file > default. In files the names stand in lower case under
`[emergency]`, or under `[profiles.NAME.emergency]`:

```toml
[emergency]
immediate_stop_timeout = 4000
notification_channels = ["system", "slack"]
```

A keeper and a server read them when they start, and do not start on one that is wrong (exit 2). They hold where a stop
is recorded, which is by the keeper or the server while one is alive. With `EMERGENCY_STOP_ENABLED=false` no trigger and
no alert stops anything; a person's stop works as ever, and keeper, server and `doctor` say so. `--debug` is the debug
mode: triggers are looked at every second and health every two, where nothing else is said, and more is logged.
"""

EVENTS_HEAD = """# Event kinds

Every change, and every refusal, is an event in the journal: `opsconsole audit list`, `opsconsole watch`. Each has a
revision, a time, an actor, a door, a correlation id and the id of the command that caused it, and the fields below.
This page is made from the program by `scripts/reference.py`.
"""


SCRIPTS_HEAD = """# Scripts

`opsconsole script FILE` runs the real console without a terminal: it presses keys, looks at the screen and at the
state, and takes pictures. This page is made from the program by `scripts/reference.py`.

```yaml
# incident.yaml - half a minute in the life of a fleet: everything stops, and one worker does not.
size: 100x30
fleet: demo
steps:
  - wait until: {state: running, live: 12, within: 20s}
  - press: ["!", S]
  - type: wrong prices
  - press: enter
  - wait until: {stop: {result: partial}, within: 15s}
  - expect: {state: stopped, sites: {harbour-books: stopped}, screen: {row: 1, says: PARTIAL}}
  - screenshot: partial
```

    opsconsole script incident.yaml --dry-run          # reads and checks it, and runs nothing
    opsconsole script incident.yaml --out shots        # plays it; pictures are written when it ends

On a fleet of your own, leave `fleet` out and name the database with `-b`, or in the settings. This one pauses a site
from command mode, whose commands ask as they do there (here: `y`), and resumes it:

```yaml
# pause.yaml - for: opsconsole -b sqlite:///fleet.db script pause.yaml
steps:
  - wait until: {state: running, screen: shop-eu}
  - command: pause shop-eu -- price feed is wrong
  - press: y
  - wait until: {sites: {shop-eu: paused}}
  - screenshot: paused
  - command: resume shop-eu -- feed repaired
  - press: [enter, y]
  - wait until: {sites: {shop-eu: runs}}
```

| exit | |
|---|---|
| 0 | every step was carried out and every expectation met |
| 1 | one was not: its line, what was expected and what is instead, and the screen at that moment |
| 2 | the script is wrong: line, column and what may have been meant; nothing has run |
| 7 | the profile is production and a `do` of the script lets something run: nothing has run |
| 130 | Ctrl-C (143, 129: another signal); the pictures taken so far are kept |

A backend that cannot be reached is no failure by itself: the state is `unknown` and the screen says why, which a script
may expect. After a second the steps are named on stderr as they begin.

A script is YAML: mappings, lists and text, without anchors and tags. What begins with `!` is quoted, and so is a text
with `: ` or ` #` in it. Durations carry their unit: `5s`, `1m30s`.

## Above the steps
"""

SCRIPTS_STEPS = """
## Steps

Each item of `steps` has one key. Steps marked *Seeded* are for `fleet: seeded`, where the world is the script's: time
stands still until `pass`, and workers do what the script says. Keys are characters or `enter`, `escape`, `tab`,
`space`, `up`, `f1` …, with `ctrl+`, `shift+` or `alt+` before them, and mean what they mean where nobody
bound them anew.
"""

SCRIPTS_FACTS = """
## What can be expected

`expect` and `wait until` take any of these together; all of them have to be so.
"""

SCRIPTS_COMMANDS = """
## What `do` can give

`selectors` is a list of mappings such as `{site: shop-eu}`, and `{}` is everything; times are RFC 3339, such as
`"2026-11-22T14:00:00Z"`. On a seeded fleet `by: ben` says who it was.
"""
ROLES_HEAD = """# Roles

Who comes to a server shows a credential, and the credential says the name that the journal gets, the role, and how far
it reaches. What is not listed here is denied. How to hand tokens out: [../howto/tokens.md](../howto/tokens.md). This
page is made from the program by `scripts/reference.py`.

Whoever can write the database itself, be it an SQLite file or PostgreSQL, is its administrator: roles begin at a
server.
"""

ROLES_COMMANDS = """
## Commands

Which kinds of command a role may give, to `POST /v1/commands` or to any route that gives one in its place. A release by
force (`force: true`: another source's hold) takes an admin. A stop, a pause or a switch that says `create` may register
the names that it needs, so that none of them waits for somebody else.
"""

ROLES_PERMISSIONS = """
## Permissions

What a route asks for.
"""

ROLES_ROUTES = """
## Routes

What each route of `opsconsole serve` asks for. `/healthz` and `/readyz` ask for nothing; whatever is not listed, also
what does not exist, is 401 for whoever shows no credential.
"""

ROLES_SCOPE = """
## Scope

A token can be kept to sites, to environments, or to both. A selector lies within when it names one of the sites, where
the token names any, and one of the environments, where it names any: a token for `site s1` stops `site=s1` and
`site=s1,operation=ab_testing`, and neither `operation=ab_testing` nor everything. Commands that are about no selector
(flags, workflows, limits, names, the configuration) are about the whole fleet, and take a token without a scope. An
emergency is recovered by whoever reaches all of it. Nobody makes a token, or revokes one, that reaches further than
their own. Samples are taken from whoever reaches all that they could stop, or have a recovery go on with.

A scope bounds what is seen as well. What touches it is: holds, stops and emergencies that overlap it, its own sites,
the workers and services that may serve it, and what belongs to the whole fleet. What lies wholly outside is not, nor
are tokens, refusals and `/metrics`. Workers elsewhere that must acknowledge a wider stop are counted without their
names, as `(elsewhere 1)`.
"""

DRIVERS_HEAD = """# Drivers and health checks

What the driver of a service is told, and what tells whether the service is well:

    opsconsole services add billing --driver process --config '{"pidfile": "/run/billing/pid"}' \\
        --health '{"kind": "tcp", "host": "127.0.0.1", "port": 9000, "allow": ["127.0.0.1:9000"]}'

Each is a JSON object, or `@FILE` with one. A field that is not named here, or a value of another type, is
refused; names that end in `_s` are seconds. What a host allows goes before all of it:
[../howto/services.md](../howto/services.md). This page is made from the program by `scripts/reference.py`.

## Drivers
"""

DRIVERS_CHECKS = """## Health checks

`kind` says which it is, and has to be there. A check that cannot tell says nothing: neither that a service is up nor
that it is down.
"""

DRIVERS: Final[Mapping[str, type[DriverConfig]]] = {
    "process": ProcessConfig,
    "command": CommandConfig,
    "control-file": ControlFileConfig,
    "signal": SignalConfig,
    "http": HttpConfig,
    "gate": GateConfig,
    "systemd": SystemdConfig,
    "kubernetes": KubernetesConfig,
}
"""What each kind of driver is told."""

CHECKS: Final[Mapping[str, type[DriverConfig]]] = {
    "http": HttpCheck,
    "tcp": TcpCheck,
    "command": CommandCheck,
    "file": FileCheck,
    "process": ProcessCheck,
    "driver": DriverCheck,
}
"""What each kind of health check is told."""

KEEPERS = {
    "apply-configuration",
    "conclude-stop",
    "create-fleet",
    "create-token",
    "expire-holds",
    "record-erasure",
    "report-workers",
}
"""Commands that the keeper and the command line give, and that nobody writes by hand."""


def pages() -> dict[str, str]:
    """The text of each page, by file name."""
    return {
        "commands.md": _commands(),
        "settings.md": _settings(),
        "events.md": _events(),
        "scripts.md": _scripts(),
        "roles.md": _roles(),
        "drivers.md": _drivers(),
    }


def _commands() -> str:
    context = click.Context(root, info_name="opsconsole")
    assert isinstance(root, LazyRoot)
    parts = [COMMANDS_HEAD]
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        parts += _command(command, f"opsconsole {name}", level=2)
    return "\n".join(parts)


def _command(command: click.Command, path: str, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f"{'#' * level} {path.removeprefix('opsconsole ')}\n"
    yield f"    {' '.join(usage.split())}\n"
    yield inspect.cleandoc(command.help or command.short_help or "") + "\n"
    rows = [_option(param) for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if rows:
        yield "| option | |\n|---|---|"
        yield "\n".join(rows) + "\n"
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _command(below, f"{path} {name}", level + 1)


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.metavar or _choices(option)}"
    return f"| {names}{value} | {option.help or ''}{' Required.' if option.required else ''} |"


def _choices(option: click.Option) -> str:
    return "\\|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.type.name.upper()


def _settings() -> str:
    rows = ["| key | option | variable | value | |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        flags = ", ".join(filter(None, (setting.flag, setting.short)))
        flags += ", --no-read-only" if setting.key == "read_only" else ""
        value = "\\|".join(setting.choices) or setting.kind
        rows.append(f"| `{setting.key}` | `{flags}` | `{setting.variable}` | {value} | {setting.help} |")
    rows.append(f"| `{PRODUCTION.key}` | | | {PRODUCTION.kind} | {PRODUCTION.help}; in files only |")
    emergency = ["| variable | default | unit | |", "|---|---|---|---|"]
    for row in resolve(environ={}, files=()).rows():
        says = EmergencySettings.model_fields[row.name.lower()].description
        emergency.append(f"| `{row.name}` | {_default(row.value)} | {row.unit} | {says} |")
    return "\n".join([SETTINGS_HEAD, *rows, SETTINGS_TAIL, SETTINGS_EMERGENCY, *emergency, ""])


def _default(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value).lower()


def _events() -> str:
    parts = [EVENTS_HEAD, "| kind | version | says | fields |", "|---|---|---|---|"]
    for kind, event in sorted(EVENTS.items()):
        says = " ".join(inspect.cleandoc(event.__doc__ or "").split("\n\n")[0].split())
        fields = ", ".join(f"`{name}`" for name in event.model_fields if name != "kind")
        parts.append(f"| `{kind}` | {event.version} | {says} | {fields} |")
    return "\n".join([*parts, ""])


def _scripts() -> str:
    header = [f"| `{key}` | {known.says} |" for key, known in HEADER.items()]
    steps = [f"| `{key}` | {step.says} | `{step.looks}` |" for key, step in STEPS.items()]
    facts = [f"| `{key}` | {fact.says} |" for key, fact in FACTS.items()]
    commands = [
        f"| `{kind}` | {_fields(command, needed=True)} | {_fields(command, needed=False)} |"
        for kind, command in sorted(KINDS.items())
        if kind not in KEEPERS
    ]
    tables = (
        (SCRIPTS_HEAD, "| key | |\n|---|---|", header),
        (SCRIPTS_STEPS, "| step | does | looks like |\n|---|---|---|", steps),
        (SCRIPTS_FACTS, "| key | is |\n|---|---|", facts),
        (SCRIPTS_COMMANDS, "| kind | has to have | may have |\n|---|---|---|", commands),
    )
    return "\n".join(part for text, head, rows in tables for part in (text, head, *rows)) + "\n"


def _fields(command: type[Command], *, needed: bool) -> str:
    fields = command.model_fields.items()
    return ", ".join(f"`{name}`" for name, field in fields if name != "kind" and field.is_required() is needed)


def _roles() -> str:
    roles = ["| role | |", "|---|---|", *(f"| `{role}` | {says} |" for role, says in ROLES.items())]
    head = [f"| | {' | '.join(ROLES)} |", f"|---|{'---|' * len(ROLES)}"]
    permissions = [
        f"| `{permission}`: {says} | {' | '.join(_mark(permission in permissions_of(role)) for role in ROLES)} |"
        for permission, says in PERMISSIONS.items()
    ]
    commands = [
        f"| `{kind}` | {' | '.join(_mark(kind in commands_of(role)) for role in ROLES)} |"
        for kind in sorted(set(KINDS) - ENGINE_ONLY)
    ]
    rules = sorted(ROUTES.items(), key=lambda rule: rule[0][::-1])
    routes = [f"| `{method} {path}` | `{permission}` |" for (method, path), permission in rules]
    own = ", ".join(f"`{kind}`" for kind in sorted(ENGINE_ONLY))
    parts = [ROLES_HEAD, *roles, ROLES_PERMISSIONS, *head, *permissions, ROLES_COMMANDS, *head, *commands]
    parts += [f"\nThe engine alone says {own}.", ROLES_ROUTES, "| route | permission |\n|---|---|", *routes]
    return "\n".join([*parts, ROLES_SCOPE])


def example_of(model: type[DriverConfig]) -> dict[str, Any]:
    """The configuration that a model shows of itself."""
    extra: Any = model.model_config.get("json_schema_extra")
    shown: dict[str, Any] = extra["example"]
    return shown


def _drivers() -> str:
    parts = [DRIVERS_HEAD]
    for kind, model in DRIVERS.items():
        parts += _configuration(f"### {kind}", model)
    parts.append(DRIVERS_CHECKS)
    for kind, model in CHECKS.items():
        parts += _configuration(f"### {kind}", model)
    return "\n".join(parts)


def _configuration(heading: str, model: type[DriverConfig]) -> Iterator[str]:
    schema = model.model_json_schema()
    yield f"{heading}\n\n{schema['description']}\n\n    {json.dumps(example_of(model))}\n"
    yield from _values(schema)
    for name, part in schema.get("$defs", {}).items():
        yield f"`{name}`: {part['description']}\n"
        yield from _values(part)


def _values(schema: Mapping[str, Any]) -> Iterator[str]:
    """The table of an object's fields, without ``kind``."""
    fields = {name: field for name, field in schema["properties"].items() if name != "kind"}
    if not fields:
        return
    yield "| field | value | default | |\n|---|---|---|---|"
    for name, field in fields.items():
        default = "required" if name in schema.get("required", ()) else _shown(field.get("default", {}))
        yield f"| `{name}` | {_type(field)} | {default} | {field['description']} |"
    yield ""


def _shown(default: object) -> str:
    return f"`{json.dumps(default)}`" if default or default in (0, False) else "(none)"


def _type(field: Mapping[str, Any]) -> str:
    """What a field takes, in a few words."""
    match field:
        case {"anyOf": kinds}:
            return " or ".join(_type(kind) for kind in kinds if kind.get("type") != "null")
        case {"$ref": path}:
            return f"`{path.rpartition('/')[2]}`"
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"additionalProperties": True}:
            return "[health check](#health-checks)"
        case {"type": "array", "items": each}:
            return f"list of {_type(each)}"
        case {"type": "object", "additionalProperties": {"type": "string"} as each}:
            return f"object of {_type(each)}"
        case {"type": "integer" | "number" as kind}:
            return f"{'whole number' if kind == 'integer' else 'number'}{_bounds(field)}"
        case {"type": kind}:
            return {"string": "text", "boolean": "`true`, `false`"}.get(kind, str(kind))
    raise ValueError(f"there is no word for {field}")


def _bounds(field: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    return "".join(f" {word} {field[key]}" for key, word in words.items() if key in field)


def _mark(so: bool) -> str:
    return "yes" if so else ""


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them."""
    stale = [name for name, text in pages().items() if not _same(REFERENCE / name, text)]
    if "--check" in arguments:
        print("\n".join(f"out of date: docs/reference/{name}" for name in stale))
        return 1 if stale else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(pages()[name], "utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
