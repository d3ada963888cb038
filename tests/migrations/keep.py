"""Keep a database of this version for later ones: `python -m tests.migrations.keep`.

To be run once before a release that has a new step. It writes the text of a database in which a small incident took
place to `samples/STEP.sql`; a sample that has been released is never written again.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from backends.local.sqlite import SqliteStore, make_file
from backends.local.steps import CURRENT
from backends.runtime import Runtime
from core import checkpoint
from tests.support.fleets import START, Clock, say, worker
from tests.support.incident import INCIDENT

SAMPLES = Path(__file__).parent / "samples"
FLEET = "f-0123456789ab"


def main() -> None:
    """Write the sample of the present step."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.db"
        make_file(path)
        store = SqliteStore(path)
        store.prepare(new_fleet=FLEET)
        with closing(Runtime(store, clock=Clock())) as runtime:
            _live_through(runtime)
        with closing(sqlite3.connect(path)) as connection:
            text = "\n".join(connection.iterdump())
    SAMPLES.mkdir(exist_ok=True)
    (SAMPLES / f"{CURRENT}.sql").write_text(text + "\n")


def _live_through(runtime: Runtime) -> None:
    """The incident, with workers, a reservation and a stored state in the middle of it."""
    runtime.put_workers([worker("w1", START), worker("w2", START)])
    runtime.reserve("content_pages", 3)
    for number, command in enumerate(INCIDENT):
        runtime.submit(say(command))
        if number == len(INCIDENT) // 2:
            store_state(runtime)


def store_state(runtime: Runtime) -> None:
    """Store the state as it is now, as a keeper does now and then."""
    state, head = runtime.state(), runtime.store.head()
    text = checkpoint.dump(state)
    with runtime.store.write(timeout_s=60) as transaction:
        transaction.put_checkpoint(head.revision, head.chain, text, checkpoint.digest(text))


if __name__ == "__main__":
    main()
