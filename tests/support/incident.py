"""A small incident that touches every table: names, holds, a switch, a limit, two stops, an explanation, a release."""

from core.capabilities.emergencies import OrderStop
from core.capabilities.explaining import ExplainStop
from core.capabilities.holds import PlaceHold, ReleaseHolds
from core.capabilities.names import AddName, RemoveName
from core.capabilities.rate_limits import SetLimit
from core.capabilities.switches import SetSwitch
from core.messages import Command
from opsgate.selector import EVERYTHING, Selector

INCIDENT: tuple[Command, ...] = (
    AddName(dimension="site", name="s1"),
    AddName(dimension="site", name="s2", title="Zweite Seite"),
    PlaceHold(selectors=(Selector.of(site="s1"), Selector.of(site="s2")), reason="è漢\u0000"),
    SetSwitch(dimension="operation", names=("enableABTesting",), on=False),
    SetLimit(name="sites", limit=0),
    OrderStop(stop_id="stop-1", selectors=(Selector.of(site="s1"),), level="graceful"),
    OrderStop(stop_id="stop-2", selectors=(EVERYTHING,)),
    ExplainStop(stop_id="stop-2", reason="smoke in the hall"),
    ReleaseHolds(selectors=(Selector.of(site="s2"),), reason="was not it"),
    RemoveName(dimension="site", name="s2"),
    SetLimit(name="sites", limit=5),
)
