"""The processes of a service, as several calls of one driver look at them at once."""

from __future__ import annotations

import threading

from backends.drivers.procs import Census, Seen
from backends.drivers.tree import Tree


def test_what_one_call_has_seen_is_not_lost_to_another_that_looks_at_the_same_time() -> None:
    """A stop that was left behind looks while a kill does: an orphan that only one of them saw is still of the tree."""
    first, orphan = seen(11), seen(12)
    tree = Tree()
    others: list[threading.Thread] = []

    class Busy(Census):
        """In the middle of the first look, another call looks at what has become an orphan since."""

        def has(self, process: Seen) -> bool:
            if not others:
                others.append(threading.Thread(target=tree.members, args=(plain, [orphan])))
                others[0].start()
                others[0].join(0.2)  # one that has to wait is not waited for
            return super().has(process)

    plain = Census({11: first, 12: orphan}, {}, {})
    tree.members(plain, [first])

    tree.members(Busy(plain.everybody, {}, {}), [])
    others[0].join()

    assert tree.members(plain, []) == (first, orphan)


def seen(pid: int) -> Seen:
    return Seen(pid, started=1, parent=1, session=pid, state="S", uid=1000)
