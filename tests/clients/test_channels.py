"""Channels as the configuration has them: where they lead, what is wrong with them, and that nothing shows a secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.configuration import ConfigurationFault
from backends.notifiers.base import Misconfigured
from backends.notifiers.callbacks import Callbacks
from backends.notifiers.channels import Channel, channels_of
from backends.notifiers.contract import keeps_the_contract
from backends.notifiers.settings import ChannelSettings, NotifySettings, resolve_channels
from backends.notifiers.system import SystemNotifier
from backends.notifiers.webhook import WebhookNotifier
from core.capabilities.emergencies import OrderStop
from core.capabilities.recovery import Recover
from opsgate.selector import EVERYTHING
from tests.cli.shell import Shell
from tests.keeper.parts import Parts
from tests.support.fleets import say
from tests.support.sinks import Sink, sink
from tests.support.waiting import eventually


@pytest.fixture
def hook() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def ops(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def resolved(folder: Path, user: str, system: str = "") -> NotifySettings:
    paths = folder / "user.toml", folder / "system.toml"
    for path, text in zip(paths, (user, system), strict=True):
        path.write_text(text)
    return resolve_channels(files=paths, environ={})


def configure(home: Path, text: str) -> None:
    path = home / "config" / "opsconsole" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_a_channel_of_the_users_file_beats_one_of_the_same_name_in_the_systems(tmp_path: Path) -> None:
    system = "[notify]\nquiet_s = 5\nrepeat_s = 60\n[notify.channels.a]\nurl = 'syslog://'\n[notify.channels.b]\nurl = 'dbus://'"
    found = resolved(tmp_path, "[notify]\nquiet_s = 7\n[notify.channels.a]\nurl = 'https://example.com/x'", system)

    kinds = {each.name: (each.settings.kind_of, each.usual) for each in channels_of(found, ("system", "a"))}
    assert kinds == {"system": ("apprise", True), "a": ("webhook", True), "b": ("apprise", False)}
    assert (found.patience.quiet_s, found.patience.repeat_s) == (7, 60)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[notify]\nquiet = 3", r"user.toml \[notify\]: quiet .*no field here"),
        ("[notify]\nrepeat_s = 0", r"repeat_s \(0\): give a number above 0"),
        ("[notify]\nescalate_to = ['pager']", r"no channel is called pager; add \[notify.channels.pager\]"),
        ("[notify.channels.a]\nurl = 3", r"channels.a.url"),
        ("[notify.channels.a]\nurl = 'x'\ntopics = ['weather']", r"channels.a.topics"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationFault, match=sentence):
        resolved(tmp_path, text)


@pytest.mark.parametrize("url", ["nonsense://s3cret", "https:///s3cret", "", "slack://s3cret"])
def test_an_address_that_is_none_is_said_without_what_lets_anybody_in(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Channel("a", ChannelSettings(url=url, kind="" if url else "webhook"), usual=True).open()

    assert "s3cret" not in str(caught.value)


def test_an_address_in_a_file_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("https://example.com/s3cret\n")
    file.chmod(0o644)
    channel = Channel("a", ChannelSettings(url_file=file), usual=True)
    with pytest.raises(Misconfigured, match="chmod 600"):
        channel.open()

    file.chmod(0o600)
    assert channel.open().where == "https://example.com"


def test_the_built_in_notifiers_keep_the_contract(hook: Sink) -> None:
    from backends.notifiers.by_apprise import AppriseNotifier

    json_hook = hook.url.replace("http://", "json://")
    keeps_the_contract(SystemNotifier())
    keeps_the_contract(WebhookNotifier(ChannelSettings(url=hook.url)), secret="s3cret-path")
    keeps_the_contract(AppriseNotifier(ChannelSettings(url=json_hook)), secret="s3cret-path")

    assert hook.documents[0]["specversion"] == "1.0"
    assert hook.documents[-1]["message"]
    with sink() as gone:
        url = gone.url
    keeps_the_contract(WebhookNotifier(ChannelSettings(url=url)), secret="s3cret-path", delivers=False)
    keeps_the_contract(
        AppriseNotifier(ChannelSettings(url=url.replace("http://", "json://"))), secret="s3cret-path", delivers=False
    )


def test_others_bring_notifiers_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pigeons.py").write_text(
        "class Pigeon:\n"
        "    takes = 'notices'\n"
        "    where = 'the loft'\n"
        "    def __init__(self, settings):\n"
        "        self.told, self.color = [], settings.options['color']\n"
        "    def send(self, message, *, timeout_s):\n"
        "        self.told.append(message.content.title)\n"
    )
    metadata = tmp_path / "pigeons-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[opsconsole.notifiers]\npigeon = pigeons:Pigeon\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = resolved(tmp_path, "[notify.channels.loft]\nkind = 'pigeon'\noptions = {color = 'grey'}")

    (channel,) = channels_of(settings, ())
    pigeon = channel.open()
    keeps_the_contract(pigeon)

    assert (pigeon.where, vars(pigeon)["color"]) == ("the loft", "grey")
    assert vars(pigeon)["told"]
    with pytest.raises(Misconfigured, match="no kind of notifier is called 'owl'; known: apprise, pigeon, webhook"):
        Channel("a", ChannelSettings(kind="owl"), usual=False).open()
    sys.modules.pop("pigeons")


def test_callbacks_hear_of_an_emergency_by_the_names_and_fields_of_s1() -> None:
    parts = Parts()
    callbacks = Callbacks(parts.runtime)
    heard: list[tuple[str, object, object]] = []
    callbacks.on("emergencyStarted", lambda event: 1 / 0)
    callbacks.on("emergencyStarted", lambda event: heard.append(("started", event["triggerType"], event["stopLevel"])))
    callbacks.on(
        "emergencyCompleted", lambda event: heard.append(("completed", event["success"], event["executionDuration"]))
    )
    callbacks.on("recoveryCompleted", lambda event: heard.append(("recovered", event["success"], event["emergencyId"])))
    with pytest.raises(ValueError, match="no event is called 'emergencyBegun'"):
        callbacks.on("emergencyBegun", print)

    parts.runtime.submit(say(OrderStop(stop_id="S-1", selectors=(EVERYTHING,))))
    emergency = parts.state.stops["S-1"].emergency_id
    parts.runtime.submit(say(Recover(emergency_id=emergency, reason="mended", confirm="all")))

    eventually(lambda: len(heard) == 3)
    callbacks.close()
    assert heard == [
        ("started", "manual_trigger", "immediate"),
        ("completed", True, 0),
        ("recovered", True, emergency),
    ]
    parts.close()


# ------------------------------------------------------------------------------------------------- the command line
def test_notify_test_says_of_each_channel_whether_it_works_and_shows_no_secret(
    ops: Shell, home: Path, hook: Sink
) -> None:
    configure(
        home,
        f"[notify.channels.webhook]\nurl = '{hook.url}'\n"
        f"[notify.channels.slack]\nurl = '{hook.url.replace('http', 'json')}'\n",
    )

    listed = ops.ok("notify", "list", "-o", "json")
    tested = ops.ok("notify", "test", "-o", "json")
    hook.status = 500
    failed = ops("notify", "test", "webhook", "-o", "json")

    rows = {row["channel"]: row for row in listed.json}
    assert {name: row["state"] for name, row in rows.items()} == {
        "system": "not begun",
        "email": "not configured",
        "webhook": "not begun",
        "slack": "not begun",
    }
    assert {row["channel"]: row["result"] for row in tested.json} == {
        "system": "sent",
        "webhook": "sent",
        "slack": "sent",
    }
    assert (failed.code, failed.json[0]["result"]) == (1, "failed")
    assert failed.json[0]["why"].endswith("answered 500")
    assert "s3cret" not in json.dumps([listed.json, tested.json, failed.json]) + failed.err
    assert ops("notify", "test", "pager").code == 2
