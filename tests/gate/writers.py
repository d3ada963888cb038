"""What other processes run in these tests; apart, so that they load nothing else."""

from opsgate.clock import elapsed_s
from opsgate.known import Known
from opsgate.lastknown import LastKnown
from opsgate.snapshot import Snapshot


def write_often(first: int) -> None:
    """Write fifty states, each whatever is on disk by then."""
    last_known = LastKnown("uabc")
    for revision in range(first, first + 200, 4):
        while not last_known.save(Known().read(Snapshot("f-one", revision)), elapsed_s()):
            pass
