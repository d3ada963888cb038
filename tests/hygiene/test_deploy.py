"""What lies in deploy/ can be read, and speaks of what there is."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.hygiene.tree import ROOT

DEPLOY = ROOT / "deploy"


def documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def test_an_alert_rule_asks_for_metrics_that_there_are() -> None:
    """And compares no words: in PromQL a state is the sample that is 1."""
    known = set(re.findall(r'"(opsconsole_\w+)"', (ROOT / "src/backends/server/metrics.py").read_text("utf-8")))
    rules = [rule for group in documents(DEPLOY / "alerts.yml")[0]["groups"] for rule in group["rules"]]

    for rule in rules:
        assert set(re.findall(r"\bopsconsole_\w+(?=\{|\)| )", rule["expr"])) <= known, rule["alert"]
        assert not re.search(r'[=!]=\s*"', rule["expr"]), rule["alert"]
        assert rule["annotations"]["summary"]
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_every_manifest_is_yaml_and_names_what_it_is() -> None:
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in documents(file):
            assert {"apiVersion", "kind", "metadata"} <= set(document), file.name
