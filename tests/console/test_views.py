"""Views say what is known, never more; each is a function from facts to rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.ack_times import AckTimes
from core.authority import Identity
from core.capabilities.course import RecoveryPhaseEntered
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import HoldChanged, PlaceHold
from core.capabilities.names import AddName
from core.capabilities.rate_limits import SetLimit
from core.capabilities.service_reports import ServiceObserved, ServiceStopAttempted
from core.capabilities.services import AddService
from core.capabilities.switches import SetSwitch
from core.capabilities.triggers import TriggerSwitched
from core.messages import EVENTS, Actor, Command, Event, Recorded
from core.policy import run_state
from core.ports import LimitUsage
from opsconsole.drawing import Frame, Place, draw
from opsconsole.layout import plan
from opsconsole.lines import Style, plain
from opsconsole.table import Table
from opsconsole.views import header
from opsconsole.views.case import emergency_case, worker_case
from opsconsole.views.emergencies import emergencies
from opsconsole.views.events import SENTENCES, events, news, sentence
from opsconsole.views.farewell import farewell
from opsconsole.views.flags import flags
from opsconsole.views.header import address
from opsconsole.views.limits import limits
from opsconsole.views.overview import overview
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsconsole.views.recovery import recovery
from opsconsole.views.sites import SiteRows, sites
from opsconsole.views.ticker import ticker
from opsconsole.views.why import beside_limit, explanation
from opsconsole.views.words import age, bar, duration, listed, sparkline, stopwatch
from opsgate.order import Order
from opsgate.selector import EVERYTHING, Selector
from tests.console.conftest import Golden
from tests.console.desk import small_fleet
from tests.console.fleet import ANA, START, Fleet

WORKERS = [f"w-{number:02}" for number in range(1, 13)]


def picture_of(fleet: Fleet, link: Link | None = None, *, read_only: bool = False) -> Picture:
    facts = Facts.of(fleet.latest(), fleet.observe())
    return Picture(facts, fleet.now, link or Link(0.2), Who("ana", fleet.url, "PROD", read_only))


def row1(fleet: Fleet, width: int = 120, link: Link | None = None) -> str:
    return plain(header.row1(picture_of(fleet, link), width)).rstrip()


def row2(fleet: Fleet, width: int = 120, link: Link | None = None) -> str:
    return plain(header.row2(picture_of(fleet, link), width)).rstrip()


def site_row(fleet: Fleet, site: str) -> tuple[str, ...]:
    return next(row for row in cells(sites(picture_of(fleet))) if row[0] == site)


def cells(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in table.rows[index].cells) for index in range(len(table.rows))]


# --------------------------------------------------------------------------------------------------------- row 1 and 2


def test_a_fleet_of_which_nothing_is_held_is_running() -> None:
    fleet = small_fleet()
    assert row1(fleet) == " [PART] 1 site held | 12 workers, 12 in flight"
    fleet.resume("mended", site="shop-eu")
    assert row1(fleet) == " [ RUN] RUNNING 12 workers, 12 in flight"


PARTS: dict[str, tuple[Command, ...]] = {
    "nothing": (),
    "a site is paused": (
        AddName(dimension="site", name="mail"),
        PlaceHold(selectors=(Selector.of(site="mail"),)),
    ),
    "a flag is off": (SetSwitch(dimension="operation", names=("index",), on=False, create=True),),
    "a limit is zero": (SetLimit(name="content_pages", limit=0),),
    "a service is stopped": (
        AddService(name="web", driver="process"),
        OrderStop(stop_id="S-1", selectors=(Selector.of(service="web"),)),
    ),
    "an account is stopped": (OrderStop(stop_id="S-1", selectors=(Selector.of(account="a1"),)),),
    "everything is paused": (PlaceHold(selectors=(EVERYTHING,)),),
    "everything is stopped": (OrderStop(stop_id="S-1", selectors=(EVERYTHING,)),),
}


@pytest.mark.parametrize("held", PARTS)
def test_row_1_is_never_better_than_status(held: str) -> None:
    fleet = Fleet()
    for command in PARTS[held]:
        fleet.do(command)
    found = run_state(fleet.latest())
    sign = "[STOP]" if held.startswith("everything") else {"running": "[ RUN]", "partly": "[PART]"}[found]
    for width in (200, 80, 40):
        said = row1(fleet, width)
        assert said.startswith(f" {sign}")
        assert ("RUNNING" in said) is (found == "running")
    assert plain(header.one_line(picture_of(fleet), 39)).startswith(sign)
    assert answers(overview(picture_of(fleet)))["STATE"].startswith("RUNNING") is (found == "running")


def test_row_1_says_in_words_what_part_is_held() -> None:
    fleet = Fleet()
    fleet.do(AddService(name="web", driver="process"))
    fleet.stop("S-1", "", Selector.of(service="web"))
    assert row1(fleet, 80).startswith(" [PART] 1 emergency: service web STOPPING 0/1 |")
    assert row1(fleet, 40) == " [PART] service web STOPPING 0/1 ~"
    assert plain(header.one_line(picture_of(fleet), 39)).startswith("[PART] 0/1 now | ! S stop")
    assert answers(overview(picture_of(fleet)))["STATE"] == "PART: service web STOPPING 0/1"
    fleet.do(SetSwitch(dimension="operation", names=("index",), on=False, create=True))
    fleet.pass_time(60)
    assert row1(fleet).startswith(" [PART] 1 emergency: service web UNVERIFIED 0/1 |")
    assert row1(fleet).endswith("| 1 flag off")


def test_row_1_names_the_only_one_that_is_held_of_a_kind_that_no_pane_lists() -> None:
    """Whoever wakes to a paused agent has to know which; of two, and of sites, the lists tell."""
    fleet = Fleet()
    fleet.do(PlaceHold(selectors=(Selector.of(agent="writer"),)))
    assert row1(fleet) == " [PART] agent writer held | no worker is registered"
    fleet.do(PlaceHold(selectors=(Selector.of(agent="editor"),)))
    assert row1(fleet).startswith(" [PART] 2 agents held |")


def test_what_a_stop_holds_is_counted_with_it_and_not_once_more() -> None:
    fleet = Fleet()
    for site in ("feed", "mail", "shop"):
        fleet.do(AddName(dimension="site", name=site))
    fleet.stop("S-1", "", Selector.of(site="feed"), Selector.of(site="mail"))
    assert "1 emergency: 2 sites" in row1(fleet)
    assert "held" not in row1(fleet)
    fleet.do(PlaceHold(selectors=(Selector.of(site="shop"), Selector.of(site="feed"))))
    assert row1(fleet, 200).endswith("| 2 sites held")
    fleet.stop("S-2", "")
    assert row1(fleet, 200).endswith("| 3 sites held")


def test_what_a_stale_row_1_says_was_so_is_no_better_either() -> None:
    assert "LAST KNOWN PARTLY HELD" in row1(small_fleet(), link=Link(9.0))


def test_where_row_1_leaves_something_out_a_sign_says_so() -> None:
    fleet = stopped_in_part()
    whole = row1(fleet, 1000)
    assert "~" not in whole
    for width in range(40, 121):
        said = row1(fleet, width)
        assert said.endswith("~") or said.split(" | ")[1:] == whole.split(" | ")[1:], said


def test_a_stop_is_stopping_until_the_journal_says_verified() -> None:
    fleet = small_fleet()
    fleet.stop()
    assert row1(fleet).startswith(" [STOP] GLOBAL STOPPING by ana | acks 0/12 | waiting for w-01 w-02 w-03 +9")
    fleet.acknowledge(*WORKERS[:11])
    assert "GLOBAL STOPPING by ana | acks 11/12 | waiting for w-12" in row1(fleet)
    fleet.acknowledge("w-12")
    fleet.pass_time(20)
    assert row1(fleet).startswith(" [STOP] GLOBAL STOPPED 20s by ana | acks 12/12 | 1 site held")


def test_acknowledgements_that_the_journal_has_not_seen_change_the_count_but_never_the_word() -> None:
    fleet = small_fleet()
    fleet.stop()
    state = fleet.latest()
    fleet.acknowledge(*WORKERS)
    facts = Facts.of(state, fleet.observe())
    ahead = Picture(facts, fleet.now, Link(0.1), Who("ana", fleet.url))
    assert "GLOBAL STOPPING by ana | acks 12/12" in plain(header.row1(ahead, 120))


def test_a_partial_stop_names_the_missing() -> None:
    fleet = small_fleet()
    fleet.stop(reason="INC-412")
    fleet.acknowledge(*WORKERS[:11])
    fleet.pass_time(6)
    fleet.conclude()
    assert row1(fleet).startswith(
        " [STOP] GLOBAL PARTIAL 5s by ana INC-412 | acks 11/12 1 MISSING | w-12 | 1 running, not halted"
    )


def test_a_stop_that_nobody_acknowledged_is_unverified() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.pass_time(6)
    fleet.conclude()
    assert "GLOBAL UNVERIFIED 5s by ana | acks 0/12 12 MISSING | w-01 w-02 w-03 +9" in row1(fleet)


def test_without_a_keeper_a_stop_is_not_said_to_be_stopping_for_ever() -> None:
    fleet = small_fleet()
    fleet.keeper = False
    fleet.stop()
    fleet.pass_time(11)
    assert "GLOBAL UNVERIFIED" in row1(fleet)
    assert "NO KEEPER" in row2(fleet)


def test_a_second_stop_counts_only_who_acknowledged_both() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    fleet.acknowledge(*WORKERS, stop_id="S-1")
    fleet.stop("S-2")
    assert "acks 0/12" in row1(fleet)


def test_an_operators_pause_of_everything_is_a_pause_and_counts_what_drains() -> None:
    fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(EVERYTHING,), reason="deploy"))
    fleet.pass_time(60)
    assert row1(fleet).startswith(" [STOP] GLOBAL PAUSED 1m by ana deploy | acks 12/12 | 12 in flight, draining")


def test_a_stop_of_one_site_is_told_with_who_it_waits_for_before_what_works() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "", Selector.of(site="feed"))
    assert row1(fleet).startswith(
        " [PART] 1 emergency: site feed STOPPING 0/2 | waiting for w-06 w-12 | 12 workers, 12 in flight"
    )


def test_lost_workers_are_named_and_not_counted_as_live() -> None:
    fleet = small_fleet()
    fleet.lose("w-03")
    assert "1 site held | 11 workers, 11 in flight | 1 LOST w-03" in row1(fleet)


def test_old_data_is_unknown_whatever_it_said() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    stale = Link(14.0, "the database is locked")
    assert row1(fleet, link=stale) == (
        " [ ????] LAST KNOWN STOPPED 12/12 13:57:46, 00:14 ago - backend unreachable - ! S still works"
    )
    assert "STALE 00:14 - the database is locked" in row2(fleet, link=stale)


def test_why_the_backend_does_not_answer_takes_the_room_that_is_left_and_no_more() -> None:
    fleet = small_fleet()
    why = "the database file was moved away while it was open: bring it back, or start the console at its new place"
    seen = {width: row2(fleet, width=width, link=Link(14.0, why)) for width in (80, 120, 200, 240)}
    assert why in seen[240]
    assert why[:60] not in seen[80]
    assert all(len(row) <= width for width, row in seen.items())
    assert all("| rev " in seen[width] for width in (120, 200, 240))


def test_before_the_first_answer_nothing_is_known() -> None:
    nothing = Link(None, "no such file")
    assert row1(Fleet(), link=nothing) == " [ ????] NOT YET KNOWN - backend unreachable - ! S still works"
    assert "CONNECTING - no such file" in row2(Fleet(), link=nothing)


def test_data_that_is_fresh_only_in_part_says_which() -> None:
    assert " | live, but no word of the workers for 10s | " in row2(
        small_fleet(), link=Link(0.1, "no word of the workers for 10s")
    )


def test_a_stop_that_joins_somebody_elses_emergency_is_said_to_be_of_who_ordered_it() -> None:
    fleet = small_fleet()
    fleet.do(OrderStop(stop_id="S-1", selectors=(Selector.of(site="mail"),)), by=Actor(name="ben"))
    fleet.do(OrderStop(stop_id="S-2", selectors=(EVERYTHING,)), by=ANA)
    (emergency,) = fleet.latest().active_emergencies()
    assert emergency.opened_by == "ben"
    picture = picture_of(fleet)
    assert "by ana" in plain(header.row1(picture, 120))
    assert "by ben" not in plain(header.row1(picture, 120))
    assert answers(overview(picture))["BY"] == f"ana, emergency {emergency.emergency_id}"


def test_a_hold_on_everything_by_somebody_else_says_how_a_person_ends_it() -> None:
    fleet = small_fleet()
    alert = Actor(name="alertmanager", kind="automation")
    fleet.do(PlaceHold(selectors=(EVERYTHING,), source="alert", owner="disk-full"), by=alert)
    assert ("[!!]", "everything is held by alert disk-full: resume --all --force") in cells(recovery(picture_of(fleet)))


def test_row_2_says_who_looks_at_what_with_which_rights() -> None:
    fleet = small_fleet()
    assert row2(fleet) == " PROD RW as ana | live | rev 36 | sqlite:////var/lib/opsconsole/opsconsole.db"
    read_only = plain(header.row2(picture_of(fleet, read_only=True), 120))
    assert read_only.startswith(" PROD RO as ana")


def test_row_2_says_as_whom_a_server_knows_the_operator_and_what_that_is_good_for() -> None:
    who = picture_of(small_fleet()).who

    viewer, operator = who.known_as(Identity("ben", "viewer")), who.known_as(Identity("cy", "operator"))

    assert (viewer.operator, viewer.role, viewer.read_only) == ("ben", "viewer", True)
    assert (operator.operator, operator.role, operator.read_only) == ("cy", "operator", False)
    shown = plain(header.row2(picture_of(small_fleet())._replace(who=viewer), 120))
    assert shown.startswith(" PROD RO as ben role=viewer | ")


def test_row_2_says_that_not_all_of_a_newer_server_is_shown() -> None:
    assert " | NEWER SERVER: not all of it shows here, upgrade" in row2(small_fleet(), link=Link(0.1, newer=True))


def test_row_2_says_how_far_away_the_server_is_and_who_else_looks() -> None:
    fleet = small_fleet()
    fleet.present = ("ben", "\x1b[31mcy")

    said = row2(fleet, link=Link(0.1, round_trip_ms=84))

    assert " | rtt 84ms | also here: ben \u241b[31mcy | " in said
    assert "\x1b" not in said
    assert "rtt" not in row2(fleet, link=Link(20.0, round_trip_ms=84)), "an old distance is none"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_what_matters_most_is_cut_last(width: int, golden: Golden) -> None:
    fleet = small_fleet()
    fleet.stop(reason="INC-412 prices are wrong on the whole site")
    fleet.acknowledge(*WORKERS[:9])
    fleet.pass_time(6)
    fleet.conclude()
    golden("\n".join((row1(fleet, width), row2(fleet, width), row1(fleet, width, Link(14.0)))))


@pytest.mark.parametrize(
    ("url", "room", "shown"),
    [
        ("sqlite:////var/lib/opsconsole/opsconsole.db", 43, "sqlite:////var/lib/opsconsole/opsconsole.db"),
        ("sqlite:////var/lib/opsconsole/opsconsole.db", 42, "sqlite:.../lib/opsconsole/opsconsole.db"),
        ("sqlite:////var/lib/opsconsole/opsconsole.db", 24, "sqlite:.../opsconsole.db"),
        ("sqlite:////var/lib/opsconsole/opsconsole.db", 18, ".../opsconsole.db"),
        ("sqlite:////var/lib/opsconsole/opsconsole.db", 16, ""),
        ("postgresql://ana:***@db1.example:5432/ops", 36, "postgresql:...@db1.example:5432/ops"),
        ("postgresql://ana:***@db1.example:5432/ops", 20, "postgresql:.../ops"),
        ("https://ops.example", 19, "https://ops.example"),
        ("https://ops.example", 12, ""),
    ],
)
def test_where_the_backends_address_has_no_room_its_end_is_shown(url: str, room: int, shown: str) -> None:
    assert address(url, room) == shown


def test_row_2_says_at_80_columns_where_it_looks_even_when_it_is_stale() -> None:
    assert row2(small_fleet(), 80).endswith("| sqlite:////var/lib/opsconsole/opsconsole.db")
    stale = row2(small_fleet(), 80, Link(42.0, "connection refused"))
    assert stale.rstrip().endswith("| .../opsconsole.db")


def test_at_forty_columns_the_count_stays_when_the_names_go() -> None:
    assert row1(stopped_in_part(), 40) == " [STOP] PARTIAL 40s | acks 10/12 ~"


def test_below_forty_columns_the_word_the_count_and_two_keys_are_left() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS[:9])
    said = {width: plain(header.one_line(picture_of(fleet), width)).rstrip() for width in (39, 30, 24, 20, 19, 6)}
    assert said == {
        39: "[STOP] 9/12 now | ! S stop  q quit",
        30: "[STOP] 9/12 now | ! S stop",
        24: "[STOP] 9/12 now | ! S",
        20: "[STOP] 9/12 now ! S",
        19: "[STOP] 9/12 now ! S",
        6: "[STOP]",
    }


# --------------------------------------------------------------------------------------------------------------- panes


def stopped_in_part() -> Fleet:
    fleet = small_fleet()
    fleet.usage = {
        "content_pages": LimitUsage("content_pages", 97, (0, 1, 3, 8, 9, 10, 4, 2, 30, 30)),
        "sites": LimitUsage("sites", 8, (0, 0, 0, 0, 0, 0, 2, 2, 2, 2)),
    }
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False, reason="experiment over"))
    fleet.lose("w-06")
    fleet.stop(reason="INC-412")
    fleet.acknowledge(*(name for name in WORKERS if name not in {"w-06", "w-07"}))
    fleet.pass_time(40)
    fleet.conclude()
    return fleet


VIEWS = {
    "overview": overview,
    "sites": sites,
    "flags": flags,
    "limits": limits,
    "emergencies": emergencies,
    "recovery": recovery,
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("size", ["80x24", "120x36", "200x60"])
def test_each_pane_of_a_partial_stop(name: str, size: str, golden: Golden) -> None:
    width, height = map(int, size.split("x"))
    box = plan(width, height, "global" if name == "overview" else name).boxes["global" if name == "overview" else name]
    table = VIEWS[name](picture_of(stopped_in_part()))
    place = Place(0, table.rows[0].key if len(table.rows) else None)
    golden("\n".join(map(plain, draw(table, Frame(name.title(), focused=True), place, box.width, box.height))))


def test_a_site_held_by_a_wider_hold_only_is_told_from_one_with_its_own() -> None:
    fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(EVERYTHING,), reason="deploy"))
    shown = {row[0]: row[1] for row in cells(sites(picture_of(fleet)))}
    assert shown["shop-eu"] == "PAUSED"
    assert shown["mail"] == "stop*"


def test_a_site_that_is_paused_and_stopped_says_both_the_stop_first() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "INC-412", Selector.of(site="shop-eu"))
    row = next(row for row in cells(sites(picture_of(fleet))) if row[0] == "shop-eu")
    assert row[1:3] == ("STOP PAUSED", "E-37 INC-412; operator ana manual INC-1")
    assert next(row for row in cells(sites(picture_of(stopped_in_part()))) if row[0] == "shop-eu")[1] == "STOP PAUSED"


def test_a_pause_of_a_site_counts_who_has_seen_it_and_what_still_runs() -> None:
    fleet = small_fleet()
    fleet.cut_off.add("w-08")
    fleet.pause("", site="shop-us")
    assert site_row(fleet, "shop-us")[5:] == ("0/2!", "2")
    fleet.pass_time(1)
    assert site_row(fleet, "shop-us")[5:] == ("1/2!", "2")
    fleet.lose("w-08")
    assert site_row(fleet, "shop-us")[5:] == ("1/2!", "1+?"), "what a lost worker runs, nobody knows"


def test_what_runs_of_a_site_is_at_most_so_much_where_its_worker_serves_others_too() -> None:
    fleet = Fleet()
    fleet.add_sites("a", "b")
    fleet.add_worker("w-1", "a", "b", in_flight=3)
    fleet.add_worker("w-2", in_flight=4)
    assert site_row(fleet, "a")[6] == "<=7"


def test_a_worker_that_has_long_not_seen_what_holds_is_cut_off_and_not_stoppable() -> None:
    fleet = small_fleet()
    fleet.cut_off.add("w-05")
    fleet.pause("", site="mail")
    fleet.pass_time(10)
    assert picture_of(fleet).facts.cut_off == (), "it has some seconds to see it"
    fleet.pass_time(10)
    assert picture_of(fleet).facts.cut_off == ("w-05",)
    assert "1 CUT OFF w-05" in row1(fleet)
    assert ("", "1 CUT OFF: w-05, not stoppable while cut off") in cells(overview(picture_of(fleet)))
    fleet.stop()
    fleet.acknowledge(*(name for name in WORKERS if name != "w-05"))
    missing = cells(emergencies(picture_of(fleet)))[1]
    assert (missing[1], missing[4]) == ("CUT OFF", "w-05")


def test_a_hold_that_changes_gives_workers_their_time_to_see_it_anew() -> None:
    """It keeps the time at which it was placed: without that each step of a recovery called all workers cut off."""
    fleet, feed = small_fleet(), Selector.of(site="feed")
    fleet.cut_off.add("w-05")
    fleet.do(PlaceHold(selectors=(feed,), admit=0.5))
    fleet.pass_time(20)
    facts = picture_of(fleet).facts

    fleet.do(PlaceHold(selectors=(feed,), admit=0.25))
    facts = Facts.of(fleet.latest(), fleet.observe(), facts)
    assert facts.cut_off == ("w-05",), "all others have seen what stood there so far"

    fleet.cut_off.add("w-06")
    fleet.pass_time(10)
    fleet.do(PlaceHold(selectors=(feed,), admit=0.1))
    fleet.pass_time(10)
    facts = Facts.of(fleet.latest(), fleet.observe(), facts)
    assert facts.cut_off == ("w-05", "w-06")

    fleet.resume("mended", site="feed")
    assert Facts.of(fleet.latest(), fleet.observe(), facts).cut_off == ()


def test_what_a_role_may_not_do_is_said_before_it_is_asked_for() -> None:
    ben = Who("", "https://ops:3001").known_as(Identity("ben", "operator"))
    wall = ben.known_as(Identity("wall", "viewer"))

    assert ben.why_not("recover") == "the role operator may not: it takes responder"
    assert (ben.why_not("place-hold"), ben.why_not("abort-recovery")) == ("", "")
    assert wall.why_not("place-hold") == "the role viewer may not: it takes operator"
    assert ben.why_not("add-trigger") == "the role operator may not: it takes admin"
    watching = replace(Who("ana", "sqlite:///fleet.db"), read_only=True)
    assert (watching.why_not("recover"), watching.forbidden("order-stop")) == ("this console is read-only", "")


def test_who_looks_through_a_server_is_not_said_before_the_server_has_said_it() -> None:
    fleet = small_fleet()
    picture = picture_of(fleet)._replace(who=Who("root", "https://ops:3001"))

    assert plain(header.row2(picture, 80)).startswith(" not let in yet | live | rev")
    known = picture._replace(who=picture.who.known_as(Identity("ben", "operator")))
    assert plain(header.row2(known, 80)).startswith(" RW as ben role=operator | live | rev")


def test_how_old_the_data_are_is_said_however_long_the_trouble_is() -> None:
    trouble = "the role viewer may not POST /v1/stop, and this goes on for a while"
    for width in (40, 60, 80, 120):
        assert "| live" in row2(small_fleet(), width, Link(0.2, trouble)), width
    assert "| live, but the role viewer may not POST /v1/stop" in row2(small_fleet(), 80, Link(0.2, trouble))


def test_a_stop_that_was_refused_is_called_so_in_row_1_and_in_the_overview() -> None:
    order = Order("S-9", START, actor="wall", door="console")
    refused = picture_of(small_fleet())._replace(sent=(order,), refusal="the role viewer may not stop")

    said = plain(header.row1(refused, 120))
    assert said.startswith(" [ ????] STOP REFUSED 13:50:00, latched on this host alone - ")
    assert ("STATE", "STOP REFUSED, the role viewer may not stop; UNKNOWN, counts as not stopped") in cells(
        overview(refused)
    )


def test_a_stop_that_a_server_has_recorded_and_nobody_has_seen_here_is_called_neither_unrecorded_nor_stopped() -> None:
    """As with a token that stops and sees nothing."""
    order = Order("S-9", START, actor="button", door="console")
    blind = picture_of(Fleet(), Link(None, "the role stop may not see", tries=3, refused=True))
    taken = blind._replace(sent=(order,), taken=True)

    first = plain(header.row1(taken, 120))
    assert first.startswith(" [ ????] STOP RECORDED 13:50:00 by a server, not seen here yet - ")
    assert farewell(taken, again="opsconsole").startswith("STOP RECORDED 13:50:00 by a server; what has stopped")
    assert ("STATE", "STOP RECORDED by a server, not seen here yet; UNKNOWN, counts as not stopped") in cells(
        overview(taken)
    )


def test_the_way_back_is_offered_to_nobody_whose_role_may_not_go_it() -> None:
    """The key row offered no R to an operator, and both panes said that R recovers."""
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS)
    fleet.conclude()
    ben = Who("ben", "https://ops:3001")
    for looking, who in (
        (replace(ben, role="operator"), "a responder"),
        (replace(ben, role="responder"), "R"),
        (ben, "R"),
    ):
        seen = picture_of(fleet)._replace(who=looking)
        assert answers(overview(seen))["RECOVER"] == f"E-37 active: {who} recovers"
        assert cells(recovery(seen))[0][1].startswith(f"{who} recovers everything, stopped")


def test_who_is_let_in_no_more_has_no_rights_in_row_2() -> None:
    ended = Link(9.0, "nobody is known by this credential", tries=3, refused=True)
    looking = Who("ben", "https://ops:3001", role="operator")
    was_in = plain(header.row2(picture_of(small_fleet(), ended)._replace(who=looking), 120))
    assert was_in.startswith(" not let in as ben any more | STALE 00:09 - nobody is known by this credential")

    never = picture_of(Fleet(), Link(None, "the role stop may not see", tries=3, refused=True))
    said = plain(header.row2(never._replace(who=Who("ben", "https://ops:3001")), 120))
    assert said.startswith(" not let in | NOTHING SHOWN - the role stop may not see")


def test_without_a_keeper_a_silent_worker_is_lost_all_the_same() -> None:
    fleet = small_fleet()
    fleet.keeper = False
    fleet.now += timedelta(seconds=20)
    assert len(picture_of(fleet).facts.lost) == 12


def test_a_stop_is_as_old_as_its_order_in_every_pane() -> None:
    fleet = small_fleet()
    ordered = fleet.now
    fleet.pass_time(120)
    fleet.do(OrderStop(stop_id="S-1", selectors=(EVERYTHING,), ordered_at=ordered))
    fleet.acknowledge(*WORKERS[:11])
    picture = picture_of(fleet)
    assert "PARTIAL" not in row1(fleet)
    assert "GLOBAL STOPPING 2m by ana" in row1(fleet)
    assert [row[3] for row in cells(emergencies(picture))] == ["2m", "2m"]
    assert {row[4] for row in cells(sites(picture))} == {"2m"}
    assert any("(2m)" in row[1] for row in cells(overview(picture)))
    assert f"at {ordered:%H:%M:%S}" in cells(recovery(picture))[1][1]
    assert "2m" in plain(ticker(picture, 120))


def test_a_site_with_one_operation_held_is_partly_held() -> None:
    fleet = small_fleet()
    fleet.pause("", site="mail", operation="content_generation")
    row = next(row for row in cells(sites(picture_of(fleet))) if row[0] == "mail")
    assert row[1:3] == ("partly", "site=mail,operation=content_generation")


def test_the_worst_sites_come_first() -> None:
    fleet = small_fleet()
    fleet.pause("", site="search", operation="ab_testing")
    fleet.pause("", site="mail")
    fleet.stop("S-1", "", Selector.of(site="pay-gw"))
    assert [row[0] for row in cells(sites(picture_of(fleet)))] == [
        "pay-gw",
        "shop-eu",
        "mail",
        "search",
        "feed",
        "shop-us",
    ]


def first_sites(fleet: Fleet) -> list[str]:
    return [row[0] for row in cells(sites(picture_of(fleet)))][:3]


def test_a_paused_site_comes_first_when_a_worker_of_it_cannot_hear_that_but_not_while_it_has_just_not_heard() -> None:
    fleet = small_fleet()
    fleet.pause("", site="mail")
    assert site_row(fleet, "mail")[5] == "0/2!"
    assert first_sites(fleet) == ["shop-eu", "mail", "feed"], "nobody has had time to see it"
    fleet.pass_time(30)
    assert first_sites(fleet) == ["shop-eu", "mail", "feed"]
    fleet.lose("w-05")
    assert site_row(fleet, "mail")[5] == "1/2!"
    assert first_sites(fleet) == ["mail", "shop-eu", "feed"]


def test_a_paused_site_comes_first_when_the_gate_of_a_worker_of_it_is_cut_off() -> None:
    fleet = small_fleet()
    fleet.cut_off.add("w-05")
    fleet.pause("", site="search")
    fleet.pause("", site="mail")
    assert first_sites(fleet)[0] == "shop-eu"
    fleet.pass_time(30)
    assert first_sites(fleet) == ["mail", "shop-eu", "search"]


def test_under_a_stop_the_sites_of_those_who_are_missing_come_first_as_soon_as_it_is_over() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*(worker for worker in WORKERS if worker not in {"w-04", "w-05"}))
    assert first_sites(fleet) == ["shop-eu", "feed", "mail"], "they may be about to answer"
    fleet.pass_time(60)
    fleet.conclude()
    assert first_sites(fleet) == ["mail", "search", "shop-eu"]


def test_a_site_whose_own_hold_is_obeyed_stays_where_it_is_when_a_worker_of_it_is_missing_elsewhere() -> None:
    fleet = small_fleet()
    fleet.add_worker("w-99", "pay-gw", "mail")
    fleet.pause("", site="mail")
    fleet.stop("S-1", "", Selector.of(site="pay-gw"))
    fleet.pass_time(60)
    fleet.conclude()
    assert first_sites(fleet) == ["pay-gw", "shop-eu", "mail"]


def test_of_many_sites_every_one_is_found_where_it_stands() -> None:
    fleet = Fleet()
    fleet.add_sites(*(f"s{number:03}" for number in range(200)))
    fleet.add_worker("w-1", "s100", "s050", "s051", "s199", "nobody")
    for name in ("s000", "s007", "s100", "s199"):
        fleet.pause("", site=name)
    _all_are_found(fleet)
    fleet.lose("w-1")
    assert _all_are_found(fleet)[:4] == ["s100", "s199", "s000", "s007"]


def test_of_many_sites_under_a_stop_those_of_the_missing_are_found_before_the_others() -> None:
    fleet = Fleet()
    fleet.add_sites(*(f"s{number:03}" for number in range(200)))
    fleet.add_worker("w-1", "s100", "s050", "s051", "s199", "nobody")
    for name in ("s000", "s007", "s100", "s199"):
        fleet.pause("", site=name)
    fleet.stop()
    fleet.pass_time(60)
    fleet.conclude()
    assert _all_are_found(fleet)[:7] == ["s100", "s199", "s050", "s051", "s000", "s007", "s001"]


def _all_are_found(fleet: Fleet) -> list[str]:
    rows = SiteRows(picture_of(fleet))
    names = [rows[index].key for index in range(len(rows))]
    assert sorted(names) == [f"s{number:03}" for number in range(200)]
    assert [rows.find(name) for name in names] == list(range(200))
    assert rows.find("nobody") is None
    return names


def test_acknowledgements_are_counted_by_the_sites_that_workers_declared() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.acknowledge(*WORKERS[:11])
    acks = {row[0]: row[5] for row in cells(sites(picture_of(fleet)))}
    assert (acks["feed"], acks["mail"]) == ("1/2!", "2/2")


def test_how_long_acknowledgements_took_is_said_of_everything_and_of_the_case() -> None:
    fleet = small_fleet()
    fleet.stop()
    fleet.pass_time(20)
    fleet.acknowledge(*WORKERS[:11])
    fleet.conclude()
    fleet.acknowledge("w-12")
    assert "p50" not in str(cells(overview(picture_of(fleet))))

    fleet.stop("S-2")
    for worker in WORKERS:
        fleet.workers[worker] = replace(fleet.workers[worker], stops=("S-1", "S-2"))
    fleet.conclude("S-2", times=AckTimes(12, 0.04, 2.13, 14.2, "w-03"))
    said = "p50 40ms  p95 2.1s  slowest 14s (w-03)"
    assert ("ACK TIMES", said) in cells(overview(picture_of(fleet)))
    (emergency,) = fleet.latest().active_emergencies()
    case = ["".join(span.text for span in line) for line in emergency_case(picture_of(fleet), emergency.emergency_id)]
    assert f"acknowledged after {said}" in case


def test_a_flag_that_is_off_is_told_from_an_operation_that_somebody_holds() -> None:
    fleet = small_fleet()
    fleet.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False))
    fleet.pause("", operation="content_generation")
    shown = {row[0]: row[1] for row in cells(flags(picture_of(fleet)))}
    assert shown["enableABTesting"] == "off"
    assert shown["enableContentGeneration"] == "held"
    assert shown["enableSiteCreation"] == "on"


def test_a_limit_near_its_end_is_marked_and_one_of_zero_is_a_stop() -> None:
    fleet = small_fleet()
    fleet.do(SetLimit(name="gsc_requests", limit=0))
    fleet.usage = {"sites": LimitUsage("sites", 8), "content_pages": LimitUsage("content_pages", 96)}
    table = limits(picture_of(fleet))
    assert [row[:3] for row in cells(table)[:3]] == [
        ("gsc_requests", "0/0", "STOP"),
        ("content_pages", "96/100", "96!"),
        ("sites", "8/10", "80*"),
    ]
    assert table.alarm == "!2"


def test_usage_that_nobody_has_looked_at_is_a_question_mark() -> None:
    fleet = Fleet()
    facts = Facts.of(fleet.latest())
    table = limits(Picture(facts, fleet.now, Link(0.1), Who("ana", fleet.url)))
    assert cells(table)[0][1] == "?/100"


def test_an_emergency_lists_each_worker_that_it_waits_for() -> None:
    rows = cells(emergencies(picture_of(stopped_in_part())))
    assert [row[1] for row in rows] == ["PARTIAL", "LOST", "MISSING"]
    assert [row[4] for row in rows] == ["all", "w-06", "w-07"]


def test_why_gives_every_blocker_and_what_is_left_after_each_release() -> None:
    fleet = stopped_in_part()
    said = [plain(line) for line in explanation(picture_of(fleet), Selector.of(site="shop-eu"))]
    assert said[0] == "everything is stopped by emergency E-39: INC-412"
    assert any("after releasing H-36, still blocked by" in line for line in said)


def test_the_ticker_tells_emergencies_limits_and_lost_workers() -> None:
    said = plain(ticker(picture_of(stopped_in_part()), 120))
    assert "PARTIAL 10/12 w-06 w-07" in said
    assert "limit content_pages 97%" in said
    assert "1 LOST w-06" in said


# -------------------------------------------------------------------------------------------------------------- events


def test_every_kind_of_event_has_a_sentence() -> None:
    assert set(EVENTS) == set(SENTENCES)


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (
            HoldChanged(hold_id="H-5", mode="halt", admit=0.25, expires_at=None, reason=""),
            "H-5 lets 25% of the work through",
        ),
        (HoldChanged(hold_id="H-5", mode="halt", admit=0.0, expires_at=None, reason=""), "H-5 holds all of it: halt"),
        (
            HoldChanged(hold_id="H-5", mode="drain", admit=0.0, expires_at=START, reason=""),
            "H-5 holds all of it: drain, until 13:50:00 UTC",
        ),
        (TriggerSwitched(trigger="sick", active=False), "trigger sick switched off"),
        (
            ServiceObserved(service="web", standing="running", stop_id=None, recovery_id=None, detail="process 7"),
            "service web is running: process 7",
        ),
        (ServiceObserved(service="web", standing="stopped", stop_id=None, recovery_id=None), "service web is stopped"),
    ],
    ids=["ramp", "ramp-ends", "until", "switch", "detail", "no-detail"],
)
def test_a_sentence_says_what_has_changed(happened: Event, said: str) -> None:
    fleet = small_fleet()
    assert sentence(replace(fleet.recorded[-1], event=happened))[0] == said


OBSERVED = ServiceObserved(service="web", standing="running", stop_id=None, recovery_id="R-74", detail="process 7")
ENTERED = RecoveryPhaseEntered(emergency_id="E-7", recovery_id="R-74", phase="monitoring")


def happened_at(*events: tuple[float, Event]) -> list[Recorded]:
    """Events so many seconds after the start."""
    known = small_fleet().recorded[-1]
    return [
        Recorded(replace(known.header, revision=number, at=START + timedelta(seconds=second)), event)
        for number, (second, event) in enumerate(events, 1)
    ]


def test_what_a_recovery_routinely_sees_does_not_hide_that_its_phase_has_changed() -> None:
    recent = happened_at((0, ENTERED), (1, OBSERVED), (2, OBSERVED))
    assert "R-74 is in monitoring" in plain(news(recent))


def test_that_a_driver_was_told_to_stop_does_not_hide_that_the_service_was_seen_to_stop() -> None:
    told = ServiceStopAttempted(
        service="web", stop_id="S-1", recovery_id=None, action="stop", outcome="done", took_s=0.4
    )
    stopped = OBSERVED.model_copy(update={"standing": "stopped"})
    assert "service web is stopped" in plain(news(happened_at((0, told), (1, stopped))))
    failed = told.model_copy(update={"outcome": "timed-out"})
    assert "stop of web: timed-out" in plain(news(happened_at((0, failed), (1, OBSERVED))))


def test_a_routine_observation_is_news_once_the_last_event_of_importance_is_old() -> None:
    recent = happened_at((0, ENTERED), (30, OBSERVED))
    assert "service web is running" in plain(news(recent))


@pytest.mark.parametrize(
    "happened",
    [
        OBSERVED.model_copy(update={"standing": "not-stopped"}),
        OBSERVED.model_copy(update={"standing": "unknown"}),
        OBSERVED.model_copy(update={"standing": "stopped", "recovery_id": None}),
    ],
    ids=["runs on", "not seen any more", "stopped by itself"],
)
def test_an_observation_that_somebody_should_look_at_is_news_at_once(happened: Event) -> None:
    recent = happened_at((0, ENTERED), (1, happened), (2, OBSERVED))
    assert f"service web is {getattr(happened, 'standing', '')}" in plain(news(recent))


def test_every_event_of_an_incident_is_one_harmless_sentence(golden: Golden) -> None:
    fleet = stopped_in_part()
    golden("\n".join(f"{recorded.event.kind:20} {sentence(recorded)[0]}" for recorded in fleet.recorded))


def test_events_are_shown_newest_first_with_the_missing_in_red() -> None:
    fleet = stopped_in_part()
    table = events(fleet.recorded)
    assert table.rows[0].key == str(fleet.recorded[-1].revision)
    assert table.rows[0].cells[2].style is Style.BAD


# --------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-100, "now"),
        (4.9, "now"),
        (5, "5s"),
        (59, "55s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (100 * 86_400, "14w"),
        (1e12, "999w"),
    ],
)
def test_ages_move_in_buckets(seconds: float, said: str) -> None:
    assert duration(seconds) == said
    assert len(said) <= 4
    if seconds < 1e6:
        assert age(START, START + timedelta(seconds=seconds)) == said


def test_only_what_is_stale_counts_seconds() -> None:
    assert (stopwatch(14.9), stopwatch(3723), stopwatch(-1)) == ("00:14", "1:02:03", "00:00")


def test_a_bar_is_full_only_when_nothing_is_missing() -> None:
    assert bar(1.0, 12) == "[██████████]"
    assert bar(0.999, 12) == "[█████████░]"


def test_a_sparkline_shows_any_use_at_all() -> None:
    assert sparkline((0, 1, 50, 100)) == " ▁▄▇"
    assert sparkline((0, 0)) == "  "


def test_a_list_says_how_many_more() -> None:
    assert listed(["a", "b", "c", "d"], 2) == "a b +2"


def test_the_actor_of_an_event_is_shown() -> None:
    assert events(small_fleet().recorded).rows[0].cells[1].text == ANA.name


def test_a_stop_with_nobody_on_its_list_shows_no_share_of_nothing() -> None:
    fleet = Fleet()
    fleet.stop(reason="drill")

    rows = overview(picture_of(fleet)).rows
    place = rows.find("ACKS")
    assert place is not None
    words = " ".join(cell.text for cell in rows[place].cells)
    assert "no worker was on its list" in words
    assert "%" not in words


def answers(table: Table) -> dict[str, str]:
    """Question → answer, of a list of both."""
    return {table.rows[at].cells[0].text: table.rows[at].cells[1].text for at in range(len(table.rows))}


def test_what_is_stale_is_not_said_as_if_it_were_so_now() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    stale = picture_of(fleet)._replace(link=Link(14.0, "disk I/O error", tries=3, retry_s=4.0))
    said = answers(overview(stale))
    assert said["WORKERS"] == "12 live when last seen"
    assert said["IN-FLIGHT"] == "12 running when last seen"
    assert said["RECOVER"] == "not while the backend does not answer"
    assert not any("R recovers everything" in answer for answer in answers(recovery(stale)).values())


def test_nothing_is_offered_to_recover_while_its_stop_still_counts() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    picture = picture_of(fleet)
    emergency = picture.state.active_emergencies()[0].emergency_id
    assert answers(overview(picture))["RECOVER"] == f"{emergency} still counting: then R recovers"
    assert answers(recovery(picture))[emergency] == "no recovery of everything while [XX] stands"


def test_when_time_is_up_work_that_runs_is_not_said_to_be_about_to_halt() -> None:
    fleet = small_fleet()
    fleet.stop("S-1")
    assert answers(overview(picture_of(fleet)))["IN-FLIGHT"] == "12 running, to halt at the next checkpoint"
    fleet.acknowledge(*WORKERS[:11])
    fleet.pass_time(40)
    fleet.conclude()
    assert answers(overview(picture_of(fleet)))["IN-FLIGHT"] == "1 running, not halted"
    assert "1 running, not halted" in row1(fleet)


def test_beside_a_limit_that_is_used_up_nothing_says_allowed() -> None:
    fleet = small_fleet()
    limit = next(limit for limit in fleet.latest().limits.values() if limit.operation)
    charged = Selector.recorded("operation", limit.operation or "")
    said = [plain(line) for line in beside_limit(picture_of(fleet), limit.name, charged)]
    assert said[0].startswith("allowed")
    fleet.usage = {limit.name: LimitUsage(limit.name, limit.limit, (limit.limit,))}
    said = [plain(line) for line in beside_limit(picture_of(fleet), limit.name, charged)]
    assert said[0] == "not held: the limit alone refuses"


def test_the_pid_of_a_worker_that_owes_its_word_is_said_once() -> None:
    owed, heard, *_ = (plain(line) for line in worker_case(picture_of(stopped_in_part()), "w-07"))
    assert "pid 4006" in owed
    assert heard.startswith("serves ")


def test_a_newline_in_a_reason_is_as_visible_in_the_events_as_in_row_1() -> None:
    fleet = small_fleet()
    fleet.stop("S-1", "first\nsecond")
    assert "first\u240asecond" in row1(fleet, 200)
    assert any("first\u240asecond" in sentence(recorded)[0] for recorded in fleet.recorded)


def test_the_missing_are_named_in_forty_columns() -> None:
    box = plan(40, 10, "emergencies").boxes["emergencies"]
    table = emergencies(picture_of(stopped_in_part()))
    shown = map(plain, draw(table, Frame("Emergencies", focused=True), Place(0, None), box.width, box.height))
    assert any("MISSING" in line and "w-07" in line for line in shown)


def test_a_fleet_in_which_nobody_registered_is_not_said_to_be_stopped_by_all_its_workers() -> None:
    fleet = Fleet()
    assert "RUNNING no worker is registered" in plain(header.row1(picture_of(fleet), 120))
    fleet.stop("S-1")
    fleet.pass_time(6)
    fleet.conclude()
    assert "no worker was on its list" in plain(header.row1(picture_of(fleet), 120))
    assert answers(overview(picture_of(fleet)))["WORKERS"] == "none is registered"


def test_a_pause_of_everything_under_an_emergency_is_named_as_the_second_thing_in_the_way() -> None:
    fleet = small_fleet()
    fleet.do(PlaceHold(selectors=(EVERYTHING,), reason="deploy 7"))
    fleet.stop("S-1")
    fleet.acknowledge(*WORKERS)
    fleet.conclude()
    table = overview(picture_of(fleet))
    said = [table.rows[at].cells[1].text for at in range(len(table.rows))]
    assert "paused by ana too: R again resumes that" in said


def test_limits_take_what_emergencies_and_lost_workers_leave_of_the_ticker() -> None:
    fleet = stopped_in_part()
    fleet.usage |= {name: LimitUsage(name, 10_000, (0,)) for name in ("gsc_requests", "opportunity_scans", "sites")}
    said = plain(ticker(picture_of(fleet), 80)).rstrip()
    assert "PARTIAL 10/12 w-06 w-07" in said
    assert said.index("1 LOST w-06") < said.index("limit")


def test_the_ticker_cuts_no_item_in_two_and_counts_those_it_leaves_out() -> None:
    fleet = small_fleet()
    fleet.usage = {
        name: LimitUsage(name, 10_000, (0,)) for name in ("content_pages", "gsc_requests", "opportunity_scans", "sites")
    }
    said = plain(ticker(picture_of(fleet), 60)).rstrip()
    assert said.count("limit") == 2
    assert said.endswith("% +2")


def test_whoever_looks_shows_no_password_of_the_backend() -> None:
    for url in (
        "postgresql://ana:s3cret@db/ops",
        "postgresql://ana:s3/s3cret@db/ops",
        "postgresql://db/ops?password=s3cret",
        "http://host:3001/?token=s3cret",
    ):
        assert "s3cret" not in repr(Who("ana", url))
        assert "s3cret" not in repr(replace(Who("ana", ""), backend=url))
