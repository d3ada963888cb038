"""What the guides of services, recovery, triggers, notifications and encryption print is done as it is printed.

What belongs to whoever follows them is put in its place: files, names and numbers. The guides that speak to a server
are followed in `tests/clients/test_howtos.py`.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
import yaml

from opsgate.paths import config_home
from tests.cli.shell import Shell
from tests.hygiene.tree import ROOT
from tests.support.waiting import eventually

PAGES = ("services", "recovery", "triggers", "notifications", "encryption")
BLOCK = re.compile(r"^```(\w*)\n((?s:.*?))^```$|((?:^(?: {4}.*)?\n)*^ {4}.*\n)", re.MULTILINE)


class Piece(NamedTuple):
    """A piece of code of a guide."""

    language: str
    text: str


def pieces(page: str) -> Iterator[Piece]:
    """As they stand there; what is fenced may say its language, what is indented is a shell's unless it looks
    otherwise."""
    for found in BLOCK.finditer((ROOT / f"docs/howto/{page}.md").read_text("utf-8")):
        text = found[2] if found[3] is None else dedent(found[3]).strip("\n") + "\n"
        yield Piece(found[1] or ("json" if text.startswith("{") else "toml" if " = [" in text else "shell"), text)


@pytest.fixture
def place(ops: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A fleet with what the guides speak of, in a folder with the files that they name; and what to read for what."""
    monkeypatch.chdir(tmp_path)
    for site in ("s1", "shop-eu", "elsewhere"):
        ops.ok("sites", "add", site)
    files = {
        "db.json": {"pidfile": "/run/shop/db.pid"},
        "web.json": {"url": "https://web.internal", "stop": {"path": "/stop"}, "status": {"path": "/state"}},
        "stricter.json": {"trigger_type": "health_score_critical", "thresholds": {"healthScore": 40}},
    }
    for name, document in files.items():
        Path(name).write_text(json.dumps(document), "utf-8")
    Path("yesterday.jsonl").write_text(
        '{"metric": "healthScore", "value": 20, "at": "2026-11-21T10:00:00Z"}\n', "utf-8"
    )
    for name in ("mail-url", "hook-secret"):
        Path(name).write_text("mailtos://user:password@example.com\n", "utf-8")
        Path(name).chmod(0o600)
    stopped = ops("stop", "--site", "elsewhere", "--no-wait", "-o", "json").json
    return {
        "E-42": stopped["emergency_id"],
        "/etc/opsconsole/": f"{tmp_path}/",
        "     # change its name, and what is to be another": " | sed careful",
    }


def put(text: str, place: dict[str, str]) -> str:
    """What is printed, with this place's own names."""
    for printed, here in place.items():
        text = text.replace(printed, here)
    return text


@pytest.mark.parametrize("page", PAGES)
def test_what_a_guide_prints_works_as_it_is_printed(page: str, place: dict[str, str], ops: Shell) -> None:
    for language, printed in pieces(page):
        text = put(printed, place)
        match language:
            case "shell":
                for line in text.replace("\\\n", " ").splitlines():
                    typed(line, ops)
            case "json":
                ops.ok("services", "add", "example", "--driver", "process", "--config", text)
            case "toml" if "[notify]" in text:
                configured(text, ops)
            case "toml":
                assert set(tomllib.loads(text)) == {"commands", "destinations"}
            case "yaml":
                named = {"name": "careful"} | yaml.safe_load(text)
                Path("procedure.yaml").write_text(yaml.safe_dump(named), "utf-8")
                ops.ok("recoveries", "procedures", "add", "-f", "procedure.yaml", "--dry-run")
            case _:
                heard(text, ops)


def typed(line: str, ops: Shell) -> None:
    """One line of a shell; of other lines of such a piece what is JSON in them is read."""
    if not line.startswith("opsconsole "):
        assert all(json.loads(found) for found in re.findall(r"^\S+ \S+  (\{.*\})$", line))
        return
    if "…" in line:
        return
    command, _, target = line.partition(" > ")
    answer = ops.ok(*shlex.split(command, comments=True)[1:])
    if target:
        name, _, renamed = target.partition(" | sed ")
        Path(name).write_text(re.sub("^name: .*", f"name: {renamed}", answer.out, count=1, flags=re.MULTILINE), "utf-8")


def configured(text: str, ops: Shell) -> None:
    """A configuration that a keeper would run by; nobody is told anything."""
    file = config_home() / "opsconsole" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    ops.ok("config", "validate")
    assert {"slack", "email", "webhook"} <= {row["channel"] for row in ops.ok("notify", "list", "-o", "json").json}


def heard(text: str, ops: Shell) -> None:
    """A piece of Python that listens: it hears of a stop."""
    url = ops.ok("info", "-o", "json").json["backend"]
    said: list[tuple[object, ...]] = []
    names: dict[str, object] = {"print": lambda *words: said.append(words)}
    exec(compile(text.replace('"https://ops.example.com:3001", token=token', repr(url)), "guide", "exec"), names)
    ops("stop", "--site", "s1", "--no-wait")
    eventually(lambda: any(words[-1] == "manual_trigger" for words in said))
    names["callbacks"].close()  # type: ignore[attr-defined] # the guide's own name
