"""What every notifier keeps, as a check that whoever brings one can run over it:

from backends.notifiers.contract import keeps_the_contract

def test_my_notifier() -> None:
    keeps_the_contract(MyNotifier(settings), secret="what-lets-people-in")
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Final

from backends.notifiers.base import Message, NotDelivered, Notifier
from core.capabilities.holds import HoldPlaced
from core.hooks import told_of
from core.messages import Actor, Header, Recorded
from core.notices import Notice
from core.state import State
from opsgate.selector import EVERYTHING

_SEND_S: Final = 5.0
_NASTY: Final = "a reason with {0.__class__} %s <b>&amp;</b> ${PATH} @channel \u2028 and 漢字"


def keeps_the_contract(notifier: Notifier, *, secret: str = "", delivers: bool = True) -> None:
    """Check one notifier; ``delivers`` is whether its other end is there. Raises AssertionError.

    It takes notices or events, whatever text stands in them; the same message may come twice; it comes back in time,
    and says `NotDelivered` where it could not deliver; nothing that it says holds the ``secret`` of its address.
    """
    assert notifier.takes in ("notices", "events"), "it says what it takes"
    assert not secret or secret not in notifier.where, "where it leads is shown without what lets anybody in"
    for message in (_message(notifier, "test of the contract"), _message(notifier, _NASTY), _message(notifier, _NASTY)):
        fault = _sent(notifier, message)
        if delivers:
            assert fault is None, f"it delivers: {fault!r}"
        else:
            assert isinstance(fault, NotDelivered), f"it says that it could not deliver: {fault!r}"
            assert not secret or secret not in str(fault), "what it says holds no secret"


def _sent(notifier: Notifier, message: Message) -> BaseException | None:
    faults: list[BaseException] = []

    def send() -> None:
        try:
            notifier.send(message, timeout_s=_SEND_S)
        except Exception as fault:  # noqa: BLE001 (whatever it raises is looked at)
            faults.append(fault)

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    sending.join(4 * _SEND_S)
    assert not sending.is_alive(), "it comes back when its time is up"
    return faults[0] if faults else None


def _message(notifier: Notifier, text: str) -> Message:
    now = datetime.now(UTC)
    if notifier.takes == "notices":
        return Message("f-contract", now, Notice("test", "contract", text, text, "warning", now, 1))
    placed = HoldPlaced(hold_id="H-1", selector=EVERYTHING, source="operator", owner="ana", reason=text)
    recorded = Recorded(Header(1, now, Actor(name="ana"), "cli", "contract", "contract"), placed)
    return Message("f-contract", now, told_of(recorded, State()))
