"""What a server writes, a client reads back as it was; anything else is refused by name and never half read."""

import json
from dataclasses import replace
from typing import Any

import pytest

from backends import documents
from backends.documents import Malformed
from core.audit import Fault
from core.authority import Identity
from core.capabilities.emergencies import OrderStop
from core.capabilities.rate_limits import Grant
from core.ports import AskingClient, ChainReport, LimitUsage, Observations, Reservation, Watched
from core.scope import Scope
from opsgate.selector import EVERYTHING
from tests.support.fleets import START, say, worker
from tests.support.places import Place

ANA_AS_OPERATOR = Identity("ana", "operator", Scope(frozenset({"s1"}), frozenset()), token_id="t-1")


def through_json(document: Any) -> Any:
    """What arrives at the other end."""
    return json.loads(document if isinstance(document, str) else json.dumps(document))


def test_a_state_and_its_journal_arrive_as_they_left(place: Place) -> None:
    ours = place.runtime()
    ours.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,))))
    rows = ours.journal()

    state, chain = documents.state_from(through_json(documents.of_state(ours.state(), rows[-1].chain)))
    arrived = [documents.row_from(through_json(documents.of_row(row))) for row in rows]

    assert (state, chain, arrived) == (ours.state(), rows[-1].chain, list(rows))


def test_observations_reservations_and_reports_arrive_as_they_left() -> None:
    rows = (worker("w1", START), replace(worker("w2", START), stops=("S-1",), draining={"S-1": 2}))
    seen = Observations(
        START, rows, (LimitUsage("sites", 3, (1, 2)),), keeper=True, present=("ana", "ben"), known_as=ANA_AS_OPERATOR
    )
    seen = replace(seen, watched=(Watched("E-1", "err_rate", (0.5, 1.0), START),))
    seen = replace(seen, clients=(AskingClient("shop", "shop-1", START, 3, 1),))
    asked = Reservation("r-1", Grant(granted=False, used=10, limit=10, retry_after_s=2.5))
    report = ChainReport(3, 9, "abc", Fault(7, "event 7 was changed"))

    assert documents.observations_from(through_json(documents.of_observations(seen))) == seen
    assert documents.reservation_from(through_json(documents.of_reservation(asked))) == asked
    assert documents.chain_report_from(through_json(documents.of_chain_report(report))) == report


@pytest.mark.parametrize("read", ["row", "state", "observations", "worker", "reservation", "chain_report"])
@pytest.mark.parametrize("document", [None, [], {}, {"state": {"format": 99}}, {"fault": 3}, {"workers": 3, "at": ""}])
def test_what_is_no_document_of_ours_is_refused(read: str, document: Any) -> None:
    with pytest.raises(Malformed, match="of ours"):
        getattr(documents, f"{read}_from")(document)
