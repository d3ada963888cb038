"""A stream of events is the same however the network slices it, and an event that was cut off is none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.documents import Malformed
from backends.remote import sse
from backends.remote.sse import Sent, events

STREAM = (
    b": welcome\n\n"
    b"id: 18\nevent: row\ndata: {}\n\n"
    b"event:heartbeat\r\ndata: {}\r\n\r\n"
    b"data: one\ndata: two\n\n"
    b"retry: 3\n\n"
    b"id: 19\nevent: row\ndata: {cut off"
)
IN_IT = [None, Sent("18", "row", b"{}"), Sent("", "heartbeat", b"{}"), Sent("", "message", b"one\ntwo"), None]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_however_it_is_sliced_the_same_events_are_in_it(cuts: list[int]) -> None:
    ends = [0, *cuts, len(STREAM)]

    assert list(events(STREAM[begin:end] for begin, end in pairwise(ends))) == IN_IT


def test_an_event_that_never_ends_is_no_event_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_LONGEST", 100)

    with pytest.raises(Malformed, match="never ends"):
        list(events([b"data: " + b"x" * 50] * 3))
