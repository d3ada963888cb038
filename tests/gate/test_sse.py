"""A stream of events is the same however the network slices it, and an event that was cut off is none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgate.sse import Event, Events

STREAM = (
    b": welcome\n\n"
    b"id: 18\nevent: row\ndata: {}\n\n"
    b"event:heartbeat\r\ndata: {}\r\n\r\n"
    b"data: one\ndata: two\n\n"
    b"retry: 3\n\n"
    b"id: 19\nevent: row\ndata: {cut off"
)
IN_IT = [Event("row", b"{}", "18"), Event("heartbeat", b"{}", "18"), Event("message", b"one\ntwo", "18")]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_however_it_is_sliced_the_same_events_are_in_it(cuts: list[int]) -> None:
    ends, events = [0, *cuts, len(STREAM)], Events()

    assert [event for begin, end in pairwise(ends) for event in events.feed(STREAM[begin:end])] == IN_IT
    assert events.is_inside


@pytest.mark.parametrize("line", [b"data: " + b"x" * 50, b"data: " + b"x" * 50 + b"\n"])
def test_an_event_that_never_ends_is_no_event_of_ours(line: bytes) -> None:
    events = Events(bytes_max=100)
    events.feed(line)

    with pytest.raises(ValueError, match="does not end"):
        events.feed(line)


def test_a_comment_is_no_event_and_nothing_of_one() -> None:
    events = Events()

    assert events.feed(b": still here\n\n: and so") == []
    assert not events.is_inside
