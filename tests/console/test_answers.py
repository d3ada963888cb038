"""What became of a stop on each of its ways is said way by way, and nothing is called sent that reached nobody."""

from datetime import UTC, datetime

import pytest

from backends.stop_lane import Fired
from backends.stop_servers import Told
from core.capabilities.holds import PlaceHold
from core.messages import Durable, EventNote, Receipt
from opsconsole.dialogs.base import Send
from opsconsole.lines import Style, plain
from opsconsole.views.answers import answered, fault, fired, outlived, routes_taken
from opsconsole.views.picture import Facts, Link, Picture, Who
from opsgate.order import Order
from opsgate.selector import Selector
from tests.console.fleet import Fleet
from tests.console.recovering import aborted, completed, emergency_of, failed, held, starting, turning_back

ORDER = Order("S-1", datetime(2026, 11, 22, tzinfo=UTC))
SEND = Send(PlaceHold(selectors=(Selector.of(site="mail"),)), "pause mail")


def test_each_server_is_named_with_what_became_of_it() -> None:
    servers = (
        Told("https://a", "answered", {"durable": "database"}),
        Told("https://b", "absent", fault="connection \x1b[31mrefused"),
        Told("https://c", "refused", fault="this token may only look"),
        Told("https://d"),
    )

    said = routes_taken(Fired(ORDER, "", "absent", "database", servers=servers))

    assert said.startswith("latch on disk, https://a answered, https://b NOT REACHED (connection ")
    assert "\x1b" not in said
    assert said.endswith("https://c REFUSED IT (this token may only look), https://d SILENT (no answer)")


def test_a_server_that_answered_leaves_nothing_to_complain_of() -> None:
    told = Told("https://a", "answered", {"durable": "database"})

    assert fault(Fired(ORDER, "", "absent", "database", servers=(told,))) == ""
    assert fault(Fired(ORDER, "", "absent", "spool", servers=(told, Told("https://b")))) != ""
    assert fault(Fired(ORDER, "disk full", "absent", "database", servers=(told,))) != ""


def test_a_stop_that_no_disk_no_keeper_and_no_server_took_reached_nobody() -> None:
    answer = Fired(ORDER, "disk full", "absent", "memory", servers=(Told("https://b", "absent", fault="refused"),))

    assert "".join(span.text for span in fired(answer)).startswith("STOP REACHED NOBODY")


def test_a_stop_that_every_server_refused_is_not_called_sent() -> None:
    refused, silent = Told("https://a", "refused", fault="the role viewer may not stop"), Told("https://b", "absent")

    alone = Fired(ORDER, "", "absent", "spool", servers=(refused,))
    assert plain(fired(alone)).startswith("STOP REFUSED, latched on this host alone - latch on disk, https://a REFUSED")
    for some in (
        Fired(ORDER, "", "answered", "spool", servers=(refused,)),
        Fired(ORDER, "", "absent", "spool", servers=(refused, silent)),
    ):
        assert plain(fired(some)).startswith("stop sent, not recorded yet")


# ------------------------------------------------------------------------------------------------- what was carried out


def said(*kinds: str, durable: Durable = "database") -> str:
    notes = tuple(EventNote(revision=9, kind=kind) for kind in kinds)
    return plain(answered(SEND, Receipt(revision=9, changed=True, events=notes, durable=durable)))


def test_what_a_receipt_proves_is_that_it_was_recorded_and_no_more() -> None:
    assert said("hold.placed") == "pause mail: recorded"
    assert said("hold.placed", durable="spool") == "pause mail: in force, not recorded yet (spool)"


@pytest.mark.parametrize("kind", ["recovery.started", "recovery.aborted"])
def test_what_is_not_done_yet_has_the_sign_and_the_colour_of_a_warning(kind: str) -> None:
    notes = (EventNote(revision=9, kind=kind),)

    head, *_rest = answered(SEND, Receipt(revision=9, changed=True, events=notes, durable="database"))

    assert (head.text[:5], head.style) == ("[!!] ", Style.WARN)


def test_what_was_recorded_has_no_sign_of_a_warning() -> None:
    head, *_rest = answered(SEND, Receipt(revision=9, changed=True, durable="database"))

    assert (head.text, head.style) == ("pause mail: recorded", Style.GOOD)


def test_a_recovery_that_turns_back_is_not_done_while_services_stop() -> None:
    words = "[!!] pause mail: turning back, not done: row 1 counts what is seen stopped again"
    assert said("recovery.aborted", "hold.changed") == words
    assert said("recovery.aborted", "recovery.rolled-back") == "pause mail: recorded"


def test_what_was_begun_is_said_until_a_picture_says_that_it_is_over() -> None:
    def is_over(kind: str, fleet: Fleet) -> bool:
        notes, case = (EventNote(revision=1, kind=kind),), emergency_of(fleet).emergency_id
        picture = Picture(Facts.of(fleet.latest()), fleet.now, Link(0.1), Who("ana", fleet.url))
        return outlived(Receipt(revision=1, changed=True, events=notes, emergency_id=case))(picture)

    assert [is_over("recovery.started", make()) for make in (starting, held, turning_back, completed)] == [
        False,
        False,
        True,
        True,
    ]
    assert [is_over("recovery.aborted", make()) for make in (turning_back, aborted, failed)] == [False, True, True]
    assert not is_over("hold.placed", completed())
