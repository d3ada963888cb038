"""What every prompt is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from opsconsole.dialogs.field import Field
from opsconsole.lines import Span, Style
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Command
    from opsconsole.dialogs.several import Several

UNBOUNDED: Final = 1000
"""More rows or cells than any terminal has."""

Said = tuple[Span, ...]
"""A paragraph; the box that shows it breaks it to its width."""


@dataclass(frozen=True, slots=True)
class Send:
    """Close the prompt and carry this out. `about` begins the sentence that tells the result."""

    command: Command
    about: str
    expected_revision: int | None = None
    """The control revision at which the operator looked; a release is refused if it moved since."""
    marked: Several | None = None
    """The marked rows that it is about: when it has been carried out, their marks are taken away."""


@dataclass(frozen=True, slots=True)
class Then:
    """Close the prompt and do this, which may open another one."""

    do: Callable[[], None]


Outcome = Literal["stay", "close"] | Send | Then


class Dialog(ABC):
    """A prompt. It keeps what was typed; what it shows of the fleet comes with each picture."""

    title: str
    style = Style.STRONG
    """How its title is drawn."""
    ticking = False
    """Whether it counts seconds and wants `tick` to be called."""
    bare = False
    """Whether it stands without a frame, down to the row above the keys."""
    escapes: str = "close"
    """What Esc does to it, in a word: ``close`` where there is something to read, ``cancel`` where something was asked
    for that then does not happen. Its foot and the row of keys say the same."""
    confirms: str = ""
    """The one key that would confirm it now, if a single key would."""
    rows_shown = cells_shown = UNBOUNDED
    """How much of its body there is room for; whoever shows it says so."""

    @abstractmethod
    def body(self, picture: Picture) -> list[Said]:
        """What it says, most important first: where there is no room, the end goes."""

    @abstractmethod
    def foot(self, picture: Picture) -> list[Said]:
        """The lines that always stay: what is being typed, and the keys."""

    @abstractmethod
    def key(self, key: str, character: str | None) -> Outcome:
        """Take one key."""

    def hurried(self) -> None:  # noqa: B027 - most prompts have nothing that one key confirms
        """The key that confirms came too soon after another: it was typed blindly, and does nothing."""

    def paste(self, text: str) -> Outcome:
        """Take a paste; a prompt that has no field ignores it."""
        return "stay"

    @property
    def escape(self) -> tuple[str, str]:
        """Esc, for the line of keys."""
        return "Esc", self.escapes

    def residue(self) -> str:
        """What is said when it is closed without anything being carried out: that nothing was. Empty: no word."""
        return ""

    def see(self, picture: Picture) -> None:  # noqa: B027 - most prompts have nothing to see
        """A new picture arrived."""

    def tick(self, seconds: float) -> Outcome:
        """`seconds` went by."""
        return "stay"

    def interrupt(self, remark: str = "") -> None:  # noqa: B027 - most prompts have nothing under way
        """A stop was armed over it, or nobody looks at it: whatever was about to happen by itself must not."""


def field_line(label: str, field: Field, *, active: bool) -> Said:
    """A field as it is typed, with a mark for where the next character goes."""
    caret = (Span("_", Style.STRONG),) if active else ()
    return (Span(f"{label}: ", Style.STRONG if active else Style.DIM), Span(field.shown()), *caret)


def keys_line(*pairs: tuple[str, str]) -> Said:
    """``y resume now   Esc cancel``: keys say what they do in the form of a command, here and in the row of keys."""
    spans: list[Span] = []
    for key, does in pairs:
        spans += [Span(key, Style.KEY), Span(f" {does}   ")]
    return tuple(spans)
