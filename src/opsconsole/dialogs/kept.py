"""What is worked out from the holds, and kept until they change: a prompt over thousands of names is painted often."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from opsconsole.views.picture import Picture
from opsgate.hold import Hold

if TYPE_CHECKING:
    from immutables import Map

T = TypeVar("T")


class Kept(Generic[T]):
    """The last result of `work_out`, as long as the holds are the same."""

    def __init__(self, work_out: Callable[[Picture], T]) -> None:
        self._work_out = work_out
        self._of: tuple[Map[str, Hold], T] | None = None

    def __call__(self, picture: Picture) -> T:
        """The result for the holds of `picture`."""
        holds = picture.state.holds
        if self._of is None or self._of[0] is not holds:
            self._of = holds, self._work_out(picture)
        return self._of[1]
