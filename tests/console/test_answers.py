"""What became of a stop on each of its ways is said way by way, and nothing is called sent that reached nobody."""

from datetime import UTC, datetime

from backends.stop_lane import Fired
from backends.stop_servers import Told
from opsconsole.views.answers import fault, fired, routes_taken
from opsgate.order import Order

ORDER = Order("S-1", datetime(2026, 11, 22, tzinfo=UTC))


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
