"""The panels of S0 and S2: every request of their documents as it is printed there, and what they never showed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.server.identity import Doorkeeper
from core.capabilities.names import AddName
from core.capabilities.tokens import CreateToken, digest_of, secret_of
from tests.hygiene.tree import ROOT
from tests.support.fleets import say
from tests.support.serving import Served, serving

SETTINGS = "/admin/api/settings"
CREATE = "/admin/api/sites/create"
WORKFLOWS = "/api/workflow_controls"

PRINTED = """
# 1. Pause all processes
curl -X POST http://localhost:3001/admin/api/settings/pause-all \\
  -H "Content-Type: application/json" \\
  -d '{"pausedBy": "test_admin", "pauseReason": "Testing"}'

# 2. Try to trigger a job (should be skipped)
curl -X POST http://localhost:3001/admin/api/sites/create

# 3. Resume
curl -X POST http://localhost:3001/admin/api/settings/resume-all

# Pause specific site
curl -X POST http://localhost:3001/admin/api/sites/{siteId}/pause \\
  -H "Content-Type: application/json" \\
  -d '{"pausedBy": "test_admin", "pauseReason": "Maintenance"}'
"""
"""S0's requests. To curl, ``{siteId}`` is a set of one name, so what it asks for is the site ``siteId``."""


@pytest.fixture(autouse=True)
def running(served: Served) -> Iterator[None]:
    """Nothing that a test left behind is held, and the limit is as new."""
    yield
    served.command("release-holds", selectors=[{}], reason="the test is over")
    served.command("reset-limit", name="sites")
    served.command("set-limit", name="sites", limit=10)


@pytest.fixture
def site(served: Served) -> str:
    served.command("add-name", dimension="site", name="siteId")
    served.command("release-holds", selectors=[{"site": "siteId"}], reason="another test")
    return "siteId"


def printed() -> list[list[str]]:
    """The command lines of the document."""
    text = re.sub(r"#.*", "", PRINTED).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


def as_curl_asks(served: Served, words: list[str], *more: str) -> Any:
    """The answer to a command line, with more words at its end: of curl, or of what stands in for it here."""
    local = [word.replace("http://localhost:3001", served.url.replace("127.0.0.1", "localhost")) for word in words[1:]]
    command = [shutil.which("curl") or "", "--silent", "--fail-with-body"]
    if not command[0]:
        command = [sys.executable, "-m", "tests.support.curl"]
        local = [word.replace("{siteId}", "siteId") for word in local]
    told = subprocess.run([*command, *local, *more], cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()
    return json.loads(told.stdout)


def post(served: Served, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
    answer = served.http.post(path, json=body, **options)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_every_request_of_the_document_runs_as_it_is_printed(served: Served, site: str) -> None:
    paused, skipped, resumed, on_site = (as_curl_asks(served, words) for words in printed())

    assert "Testing (noted: test_admin)" in skipped["reason"]
    require_as_printed(paused, skipped, resumed, on_site)
    assert post(served, f"/admin/api/sites/{site}/resume")["message"] == "Site siteId resumed"


def test_where_tokens_are_wanted_it_runs_with_one_and_without_it_nothing_happens(tmp_path: Path) -> None:
    secret = secret_of("t-0123456789ab", os.urandom(32))
    token = CreateToken(token_id="t-0123456789ab", name="panel", digest=digest_of(secret), role="admin")
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", lambda room: Doorkeeper(room.runtime.latest)) as served:
        for command in (token, AddName(dimension="site", name="siteId")):
            served.room.runtime.submit(say(command))
        before = served.room.runtime.state()

        for words in printed():
            with pytest.raises(AssertionError, match="no-identity"):
                as_curl_asks(served, words)
        assert served.room.runtime.state() == before

        shown = [as_curl_asks(served, words, "-H", f"Authorization: Bearer {secret}") for words in printed()]
        require_as_printed(*shown)
        assert {hold.owner for hold in served.room.runtime.state().holds.values()} == {"panel"}


def require_as_printed(
    paused: dict[str, Any], skipped: dict[str, Any], resumed: dict[str, Any], on_site: dict[str, Any]
) -> None:
    """The answers that the document shows."""
    assert (paused["success"], paused["message"]) == (True, "All autonomous processes paused")
    assert skipped["skipped"] is True
    assert (resumed["success"], resumed["message"]) == (True, "Autonomous processes resumed")
    assert (on_site["success"], on_site["message"]) == (True, "Site siteId paused")


def test_the_panel_shows_what_it_did_and_who_the_credential_says_it_was(served: Served) -> None:
    post(served, f"{SETTINGS}/pause-all", {"pausedBy": "root", "pauseReason": "smoke"})
    paused = served.get(SETTINGS).json()
    post(served, f"{SETTINGS}/resume-all")
    running = served.get(SETTINGS).json()

    assert (paused["allAutonomousProcessesPaused"], paused["pausedBy"]) == (True, "dev")
    assert paused["pauseReason"] == "smoke (noted: root)"
    assert (running["allAutonomousProcessesPaused"], running["pausedAt"], running["pausedBy"]) == (False, None, None)
    assert (running["maxSitesPerHour"], running["enableABTesting"]) == (10, True)


def test_a_pause_holds_the_work_and_pausing_again_changes_nothing(served: Served) -> None:
    first, again = (post(served, f"{SETTINGS}/pause-all") for _ in range(2))

    assert (first["changed"], again["changed"], again["hold_ids"]) == (True, False, first["hold_ids"])
    assert served.get("/v1/check", params={"site": "any"}).json()["blockers"][0]["hold_id"] == first["hold_ids"][0]


def test_flags_are_switched_by_their_names_and_answered_as_they_are(served: Served) -> None:
    def switch(**flags: bool) -> Any:
        return served.http.patch(f"{SETTINGS}/features", json=flags).json()

    off = switch(enableSiteCreation=False, enableABTesting=True)
    held = served.command("place-hold", selectors=[{"operation": "site_creation"}], reason="mine")
    on = switch(enableSiteCreation=True)
    served.command("release-holds", selectors=[{"operation": "site_creation"}], reason="done")

    assert held.json()["changed"]
    assert off["featureFlags"] == {"enableSiteCreation": False, "enableABTesting": True}
    assert on["featureFlags"] == {"enableSiteCreation": False}, "somebody else holds it"
    assert [hold["reason"] for hold in on["remaining_holds"]] == ["mine"]
    assert switch()["featureFlags"] == {}
    assert served.get(SETTINGS).json()["enableSiteCreation"] is True


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", f"{SETTINGS}/pause-all", b"{", 400),
        ("POST", f"{SETTINGS}/pause-all", b"pausedBy=me", 400),
        ("POST", f"{SETTINGS}/pause-all", b"[]", 422),
        ("POST", f"{SETTINGS}/pause-all", b'{"pauseReason": 3}', 422),
        ("POST", f"{SETTINGS}/pause-all", b'{"pauseReason": "' + b"x" * 301 + b'"}', 422),
        ("POST", f"{SETTINGS}/resume-all", b"null", 422),
        ("PATCH", f"{SETTINGS}/features", b"", 400),
        ("PATCH", f"{SETTINGS}/features", b'{"enableABTesting": "false"}', 422),
        ("PATCH", f"{SETTINGS}/features", b'{"enableABTesting": null}', 422),
        ("PATCH", f"{SETTINGS}/features", b'{"enableFlying": true}', 422),
        ("POST", "/admin/api/sites/nowhere/pause", b"", 404),
        ("POST", "/admin/api/sites/nowhere/pause", b"{", 400),
        ("POST", "/admin/api/sites/no%20name/pause", b"", 404),
        ("POST", "/admin/api/sites/-x/resume", b"", 404),
        ("POST", CREATE, b'{"siteId": "a b"}', 422),
        ("POST", CREATE, b'{"siteId": 3}', 422),
        ("PUT", f"{WORKFLOWS}/xml-import", b"", 400),
        ("PUT", f"{WORKFLOWS}/xml-import", b"{}", 400),
        ("PUT", f"{WORKFLOWS}/xml-import", b'{"enabled": null}', 400),
        ("PUT", f"{WORKFLOWS}/xml-import", b'{"enabled": "false"}', 422),
        ("PUT", f"{WORKFLOWS}/xml-import", b'{"enabled": 0}', 422),
        ("PUT", f"{WORKFLOWS}/xml-import", b"[]", 422),
        ("PUT", f"{WORKFLOWS}/nothing", b'{"enabled": false}', 404),
        ("PUT", f"{WORKFLOWS}/no%20name", b'{"enabled": true}', 404),
    ],
)
def test_what_is_wrong_is_told_apart_and_changes_nothing(
    served: Served, method: str, path: str, body: bytes, status: int
) -> None:
    before = served.get("/v1/gate").json()["snapshot"]["holds"]

    refused = served.http.request(method, path, content=body)

    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert served.get("/v1/gate").json()["snapshot"]["holds"] == before


def test_a_site_is_made_once_and_counts_against_the_limit(served: Served) -> None:
    served.command("set-limit", name="sites", limit=2)

    named, again = (post(served, CREATE, {"siteId": "s-new"}) for _ in range(2))
    key = {"Idempotency-Key": "made-up-1"}
    made, replayed = (post(served, CREATE, headers=key) for _ in range(2))
    used_up = post(served, CREATE)

    assert named == {"success": True, "siteId": "s-new", "revision": named["revision"]}
    assert (again["success"], again["siteId"]) == (True, "s-new"), "it is there already, and that costs nothing"
    assert made["siteId"] == replayed["siteId"]
    assert used_up == {"skipped": True, "reason": "limit sites is used up: 2 of 2"}
    assert served.get("/v1/check", params={"site": made["siteId"]}).json()["unknown_names"] == []


def test_workflows_are_listed_and_switched_as_their_page_does_it(served: Served) -> None:
    def switch(enabled: bool) -> Any:
        return served.http.put(f"{WORKFLOWS}/xml-import", json={"enabled": enabled}).json()

    off = switch(False)
    listed = {row["name"]: row for row in served.get(WORKFLOWS).json()}
    checked = served.get("/v1/check", params={"workflow": "xml-import"}).json()
    served.command("place-hold", selectors=[{"workflow": "xml-import"}], reason="mine")
    held = switch(True)
    served.command("release-holds", selectors=[{"workflow": "xml-import"}], reason="done")

    assert off == {
        "success": True,
        "workflow": "xml-import",
        "enabled": False,
        "remaining_holds": off["remaining_holds"],
    }
    assert list(listed) == sorted(listed)
    assert (listed["xml-import"]["enabled"], listed["xml-import"]["updated_by"]) == (False, "dev")
    assert set(listed["status-sync"]) == {"name", "enabled", "last_updated", "updated_by"}
    assert checked["headline"].startswith("workflow xml-import is disabled")
    assert (held["enabled"], [hold["reason"] for hold in held["remaining_holds"]]) == (False, ["mine"])
    assert served.http.put(f"{WORKFLOWS}/xml-import", content=b"{}").json()["error"] == "enabled field required"


def test_a_resume_at_an_older_revision_is_refused_where_it_says_which(served: Served) -> None:
    seen = served.revision
    post(served, f"{SETTINGS}/pause-all")

    refused = served.http.post(f"{SETTINGS}/resume-all", headers={"If-Match": f'"{seen}"'})

    assert (refused.status_code, refused.json()["kind"]) == (412, "conflict")
    assert served.get(SETTINGS).json()["allAutonomousProcessesPaused"] is True


def test_what_a_stop_holds_no_panel_resumes(served: Served) -> None:
    served.command("add-name", dimension="site", name="s-stop")
    emergency = served.stop(selector={"site": "s-stop"}, stop_id="S-panel").json()["emergency_id"]

    resumed = post(served, "/admin/api/sites/s-stop/resume")

    assert (resumed["success"], resumed["changed"], resumed["paused"]) == (True, False, True)
    assert resumed["message"] == f"Site s-stop stays paused by emergency {emergency}"
