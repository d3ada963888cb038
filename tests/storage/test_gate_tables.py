"""What gates read is what the journal says: the same commit writes both."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from backends.local import schema
from backends.local.store import SqlStore
from backends.runtime import Runtime
from core.capabilities.emergencies import OrderStop
from core.capabilities.holds import PlaceHold
from core.capabilities.recovery import Recover
from opsgate.hold import Hold, timestamp
from opsgate.selector import EVERYTHING, Selector
from opsgate.snapshot import FORMAT
from tests.support.fleets import START, Clock, say, worker
from tests.support.incident import INCIDENT
from tests.support.places import FLEET, Place


def rows(runtime: Runtime, table: str) -> list[Mapping[str, Any]]:
    """The rows of one table, as a gate finds them."""
    assert isinstance(runtime.store, SqlStore)
    with runtime.store._reading() as connection:
        return [row._asdict() for row in connection.execute(select(schema.metadata.tables[table]))]


def assert_tables_say_what_the_state_says(runtime: Runtime) -> None:
    """Holds, stops, names and head."""
    snapshot = runtime.state().snapshot()
    holds = [Hold.from_dict(json.loads(row["document"])) for row in rows(runtime, "gate_hold")]
    assert sorted(holds, key=lambda hold: hold.hold_id) == sorted(snapshot.holds, key=lambda hold: hold.hold_id)
    assert {row["stop_id"] for row in rows(runtime, "gate_stop")} == {notice.stop_id for notice in snapshot.stops}
    names = {(row["dimension"], row["name"]) for row in rows(runtime, "gate_name")}
    assert names == {(dimension, name) for dimension, known in snapshot.names.items() for name in known}
    (head,) = rows(runtime, "gate_head")
    assert (head["format"], head["fleet"], head["revision"]) == (FORMAT, FLEET, snapshot.revision)
    assert (head["names_revision"], head["chain"]) == (snapshot.names_revision, runtime.journal()[-1].chain)


def test_after_every_command_of_an_incident_the_tables_say_what_the_state_says(place: Place) -> None:
    runtime = place.runtime(Clock())
    assert_tables_say_what_the_state_says(runtime)
    for command in INCIDENT:
        runtime.submit(say(command))
        assert_tables_say_what_the_state_says(runtime)
    for emergency in runtime.state().active_emergencies():
        scope = " or ".join(map(str, emergency.selectors))
        runtime.submit(say(Recover(emergency_id=emergency.emergency_id, reason="aired", confirm=scope)))
        assert_tables_say_what_the_state_says(runtime)
    assert rows(runtime, "gate_stop") == []


def test_a_whole_incident_in_one_commit_leaves_the_tables_that_its_commands_one_by_one_leave(place: Place) -> None:
    runtime = place.runtime(Clock())

    answers = runtime.submit_together([(say(command), None) for command in INCIDENT])

    assert len(answers) == len(INCIDENT)
    assert_tables_say_what_the_state_says(runtime)
    assert runtime.verify().fault is None


def test_a_stop_in_force_names_its_frozen_list_its_deadline_and_who_ordered_it(place: Place) -> None:
    runtime = place.runtime(Clock())
    runtime.put_workers([worker("w1", START), worker("w2", START)])

    runtime.submit(say(OrderStop(stop_id="stop-1", selectors=(EVERYTHING,), reason="smoke")))

    (row,) = rows(runtime, "gate_stop")
    stop = runtime.state().stops["stop-1"]
    assert (row["stop_id"], row["emergency_id"], row["level"], row["result"]) == (
        "stop-1",
        stop.emergency_id,
        "immediate",
        "pending",
    )
    assert json.loads(row["document"]) == {
        "selectors": [{}],
        "ordered_at": timestamp(START),
        "deadline_at": timestamp(stop.deadline_at),
        "of": ["w1", "w2"],
        "services": {},
        "recounted": 0,
        "reason": "smoke",
        "ordered_by": "ana",
    }


def test_two_thousand_holds_in_one_command_are_one_commit(place: Place) -> None:
    runtime = place.runtime()
    selectors = tuple(Selector.of(site=f"s{number}") for number in range(2_000))

    receipt = runtime.submit(say(PlaceHold(selectors=selectors, create=True)), timeout_s=30)

    assert len(receipt.hold_ids) == 2_000
    assert len(rows(runtime, "gate_hold")) == 2_000
    assert runtime.verify().fault is None
