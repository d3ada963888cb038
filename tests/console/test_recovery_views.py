"""An emergency with services and its recovery, in every place that it can come to, as the panes and the bars say it."""

from __future__ import annotations

import pytest

from core.capabilities.names import AddName
from core.procedures import described
from core.recoveries import RecoveryStep
from opsconsole.drawing import Frame, Place, draw
from opsconsole.layout import plan
from opsconsole.lines import plain
from opsconsole.recent import Recent
from opsconsole.table import Table
from opsconsole.views import header
from opsconsole.views.emergencies import emergencies
from opsconsole.views.overview import overview
from opsconsole.views.picture import Picture
from opsconsole.views.recovery import recovery
from opsconsole.views.samples import curve
from opsconsole.views.sites import sites
from opsconsole.views.ticker import tabs, ticker
from opsgate.selector import Selector
from tests.console import recovering
from tests.console.conftest import Golden
from tests.console.desk import small_fleet
from tests.console.fleet import Fleet
from tests.console.recovering import PHASES
from tests.console.test_views import cells, picture_of

SIZES = ((80, 24), (120, 36), (200, 60))
PANES = {"emergencies": emergencies, "recovery": recovery}


def seen(fleet: Fleet) -> Picture:
    """A picture with the samples that the latest events have."""
    recent = Recent()
    recent.remember(fleet.recorded)
    return picture_of(fleet)._replace(samples=recent.samples)


def row1(fleet: Fleet, width: int = 120) -> str:
    return plain(header.row1(seen(fleet), width)).rstrip()


def said(table: Table) -> str:
    return "\n".join(" ".join(row) for row in cells(table))


@pytest.mark.parametrize("phase", PHASES)
def test_each_place_of_a_recovery(phase: str, golden: Golden) -> None:
    picture = seen(PHASES[phase]())
    drawn: list[str] = []
    for width, height in SIZES:
        drawn += [f"==== {width}x{height}", plain(header.row1(picture, width))]
        drawn += [plain(tabs({name: view(picture) for name, view in PANES.items()}, "sites", width))]
        for name, view in PANES.items():
            box = plan(width, height, name).boxes[name]
            lines = draw(view(picture), Frame(name.title(), focused=True), Place(), box.width, box.height)
            drawn += map(plain, lines)
        drawn.append(plain(ticker(picture, width)))
    golden("\n".join(row.rstrip() for row in drawn))


def test_a_stop_counts_services_beside_acknowledgements_and_names_those_that_run() -> None:
    fleet = recovering.stopping()
    assert row1(fleet).startswith(" [STOP] GLOBAL STOPPING 5s by trigger:health")
    assert "| acks 12/12 | services 3/5 | waiting for cache db" in row1(fleet)
    assert "| services 3/5" in row1(fleet, 80), "the names go before the count does"
    rows = {row[4]: row for row in cells(emergencies(seen(fleet)))}
    assert rows["all"][1:3] == ("STOPPING", "15/17")
    assert rows["service cache"][1] == "running"
    assert rows["service cache"][8] == "tier 2, stop done after 0.4s"
    assert rows["service db"][8] == "tier 3, nothing tried yet"


def test_an_emergency_says_what_fired_it_with_its_value_and_whose_it_is() -> None:
    fleet = recovering.stopped()
    row = cells(emergencies(seen(fleet)))[0]
    assert row[5:] == ("UNACKED", "cascading", "trigger:health", "health: healthScore 25 (threshold 30, last)")


def test_what_lets_a_share_through_is_neither_running_nor_stopped() -> None:
    fleet = recovering.admitting()
    assert row1(fleet).startswith(" [PART] 25% ADMITTED 12 workers, 0 in flight | E-")
    assert "RECOVERING 3/5 gradual_restore 25%, next in 00:18" in row1(fleet)
    assert plain(header.one_line(seen(fleet), 39)).startswith("[PART]")


def test_what_was_stopped_and_runs_again_is_not_called_stopped() -> None:
    fleet = recovering.watching()
    assert "STOPPED" not in row1(fleet)
    assert "services" not in row1(fleet)
    assert "RECOVERING 5/5" in row1(fleet, 80)


def test_a_recovery_says_its_phase_its_step_what_is_next_and_when_at_the_earliest() -> None:
    text = said(recovery(seen(recovering.admitting())))
    assert "phase 3/5 gradual_restore [██████████████░░░░░░] step 8 of 10" in text
    assert "now admit 25% of the work, watch for 30 s" in text
    assert "next in 00:18: admit 100% of the work" in text
    assert "over in 5m" in text
    assert "ramp [█████░░░░░░░░░░░░░░░] 25% of the work admitted" in text


def test_no_time_is_promised_while_something_must_be_seen_first() -> None:
    fleet = recovering.at("start", of=1, passed_s=0)
    assert recovering.present(fleet).present.wait_s >= 1
    assert "next when that is seen: start " in said(recovery(seen(fleet)))

    recovering.look(fleet)
    assert "next in 00:0" in said(recovery(seen(fleet))), "it only has to stay well"


def test_a_gate_says_what_was_seen_since_its_step_began() -> None:
    text = said(recovery(seen(recovering.starting())))
    assert "[..] cache starting just now" in text
    text = said(recovery(seen(recovering.admitting())))
    assert "[ok] api running just now; [ok] health of api: 200 in 4 ms" in text


def test_the_curve_of_what_fired_it_goes_from_its_highest_to_its_lowest() -> None:
    assert "watched healthScore ▇▇▇▅▄▃▃▂▂▁ 81 to 25" in said(recovery(seen(recovering.admitting())))
    assert curve([1.0, 2.0, 3.0]) == "▁▄▇"
    assert curve([5.0, 5.0]) == "──"


def test_a_recovery_that_turns_back_says_why_and_what_may_still_run() -> None:
    fleet = recovering.turning_back()
    text = said(recovery(seen(fleet)))
    assert "why health of api: 503 Service Unavailable" in text
    assert "2/5 services seen stopped again; nothing is admitted" in text
    assert "waits for api cache db" in text
    assert "GLOBAL STOPPING" in row1(fleet)


def test_one_that_failed_needs_a_person_and_says_so_everywhere() -> None:
    picture = seen(recovering.failed())
    assert "manual intervention needed: health of api: 503" in said(recovery(picture))
    assert "manual intervention needed" in said(emergencies(picture))
    assert "NEEDS A PERSON" in plain(ticker(picture, 80))
    assert recovery(picture).alarm == "!1"


def test_the_pane_counts_phases_in_its_title_while_a_recovery_goes_on() -> None:
    assert recovery(seen(recovering.at("check"))).alarm == "1/5"
    assert recovery(seen(recovering.admitting())).alarm == "3/5"
    assert recovery(seen(recovering.completed())).alarm == ""


def test_the_last_one_that_was_completed_stays_to_be_read() -> None:
    assert "completed 1m ago, by standard_recovery" in said(recovery(seen(recovering.completed())))


def test_the_first_pane_says_what_share_is_admitted_and_how_far_the_way_back_has_come() -> None:
    text = said(overview(seen(recovering.admitting())))
    assert "STATE PART: 25% of the work is admitted" in text
    assert "SERVICES 5/5 running" in text
    assert "RECOVERING 3/5 25%: H holds it, X aborts it" in text
    assert "SERVICES 3/5 seen stopped, not cache db" in said(overview(seen(recovering.stopping())))
    assert "a person is needed" in said(overview(seen(recovering.failed())))


def test_a_site_that_runs_in_part_is_not_said_to_run_nor_to_be_stopped() -> None:
    rows = {row[0]: row[1] for row in cells(sites(seen(recovering.admitting())))}
    assert rows["feed"] == "part 25%"
    assert rows["shop-eu"] == "PAUSED"
    rows = {row[0]: row[1] for row in cells(sites(seen(recovering.watching())))}
    assert rows["feed"] == "runs"


def test_one_that_turns_back_counts_what_was_seen_stopped_again_and_names_no_phase() -> None:
    """Its phase is where it was when it failed: said beside TURNING BACK, that would be read as where it is."""
    fleet = recovering.turning_back()
    assert "TURNING BACK 2/5 services stopped" in row1(fleet)
    assert "TURNING BACK 2/5 |" in row1(fleet, 80)
    assert "3/5" not in row1(fleet)
    assert recovery(seen(fleet)).alarm == "!1"


def test_a_step_that_watches_for_no_time_does_not_say_so() -> None:
    assert described(RecoveryStep("full_restore", "admit", admit=1.0)) == "admit 100% of the work"
    assert (
        described(RecoveryStep("full_restore", "admit", admit=1.0, wait_s=3)) == "admit 100% of the work, watch for 3 s"
    )
    assert described(RecoveryStep("gradual_restore", "start", ("db",))) == "start db"


def test_the_age_and_the_owner_of_a_long_scope_are_in_sight_at_120_columns() -> None:
    fleet = small_fleet()
    fleet.do(AddName(dimension="site", name="a-shop-with-a-long-name"))
    fleet.stop("S-1", "", *(Selector.of(site=name) for name in ("a-shop-with-a-long-name", "shop-eu")))
    box = plan(120, 36, "emergencies").boxes["emergencies"]
    header_, first, *_ = map(plain, draw(emergencies(seen(fleet)), Frame("E"), Place(), box.width, box.height)[1:])
    assert header_.split()[1:] == ["ID", "RESULT", "AGE", "SCOPE,", "WORKERS", "OWNER", "│"]
    assert "UNACKED" in first
