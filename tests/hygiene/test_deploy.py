"""What lies in deploy/ can be read, and speaks of what there is."""

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from opsconsole.cli.commands.serve import serve
from tests.hygiene.tree import ROOT
from tests.support.serving import server_process

DEPLOY: Final = ROOT / "deploy"
UNIT: Final = (DEPLOY / "opsconsole.service").read_text("utf-8")
IMAGE: Final = (DEPLOY / "Containerfile").read_text("utf-8")
HOMES: Final = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME")


def documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def test_an_alert_rule_asks_for_metrics_that_there_are() -> None:
    """And compares no words: in PromQL a state is the sample that is 1."""
    sources = [(ROOT / f"src/backends/server/{name}.py").read_text("utf-8") for name in ("metrics", "gauges")]
    known = set(re.findall(r'"(opsconsole_\w+)"', "".join(sources)))
    rules = [rule for group in documents(DEPLOY / "alerts.yml")[0]["groups"] for rule in group["rules"]]

    for rule in rules:
        asked = {name.removesuffix("_bucket") for name in re.findall(r"\bopsconsole_\w+(?=\{|\)| )", rule["expr"])}
        assert asked <= known, rule["alert"]
        assert not re.search(r'[=!]=\s*"', rule["expr"]), rule["alert"]
        assert rule["annotations"]["summary"]
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_every_manifest_is_yaml_and_names_what_it_is() -> None:
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in documents(file):
            assert {"apiVersion", "kind", "metadata"} <= set(document), file.name


def deployment() -> dict[str, Any]:
    manifests = documents(DEPLOY / "kubernetes" / "server.yaml")
    found: dict[str, Any] = next(each for each in manifests if each["kind"] == "Deployment")
    return found


def container() -> dict[str, Any]:
    found: dict[str, Any] = deployment()["spec"]["template"]["spec"]["containers"][0]
    return found


def line(text: str, begin: str) -> str:
    return next(each.removeprefix(begin) for each in text.splitlines() if each.startswith(begin))


def test_what_is_started_is_the_server_by_options_that_it_has() -> None:
    options = {name for parameter in serve.params for name in parameter.opts}
    commands = [shlex.split(line(UNIT, "ExecStart="))[1:], json.loads(line(IMAGE, "CMD ")), container()["args"]]

    for command in commands:
        assert command[0] == "serve"
        assert {word for word in command[1:] if word.startswith("-")} <= options


@pytest.mark.parametrize("text", [line(UNIT, "Environment="), line(IMAGE, "ENV ")], ids=["unit", "image"])
def test_a_server_starts_in_the_environment_that_is_written_for_it_and_its_probes_are_answered(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Its home cannot be looked into: the unit hides homes, and an image may run as anybody."""
    for name in HOMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", f"{os.devnull}/nobody")
    for name, place in (word.split("=") for word in text.split()):
        (folder := home / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv(name, str(folder))

    with server_process(f"sqlite:///{home / 'fleet.db'}") as served:
        answers = {
            name: served.get({"http": served.url, "stop": served.stop_url}[probe["port"]] + probe["path"])
            for name in ("livenessProbe", "readinessProbe")
            for probe in [container()[name]["httpGet"]]
        }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "livenessProbe": 200,
        "readinessProbe": 200,
    }


def test_a_pod_may_write_where_its_image_says_that_it_writes() -> None:
    places = dict(word.split("=") for word in line(IMAGE, "ENV ").split())

    assert container()["securityContext"]["readOnlyRootFilesystem"]
    assert {mount["mountPath"] for mount in container()["volumeMounts"]} == {
        places["XDG_STATE_HOME"],
        places["XDG_RUNTIME_DIR"],
    }
    assert deployment()["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == int(line(IMAGE, "USER "))
