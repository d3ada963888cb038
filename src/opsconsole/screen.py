"""The one screen: where the plan says, the bars, the panes and the prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget

from opsconsole import layout
from opsconsole.dialogs.base import Send, Then
from opsconsole.layout import Box, Mode, Plan
from opsconsole.lines import Line
from opsconsole.painted import STYLE_CLASSES, Painted
from opsconsole.panes import LISTS, PANES, UNNUMBERED, AuditPane, EventsPane, InsidePane, TablePane
from opsconsole.prompt import PromptBox
from opsconsole.table import Table
from opsconsole.views.picture import Picture

if TYPE_CHECKING:
    from core.messages import Recorded


class Bar(Painted):
    """One line, said anew whenever something changed."""

    def __init__(self, name: str, say: Callable[[int], Line]) -> None:
        super().__init__(id=name)
        self._say = say

    def draw(self, width: int, height: int) -> list[Line]:
        """The line."""
        return [self._say(width)]


class PlanLayout(Layout):
    """Puts each widget into the box that the plan has for its name, and leaves out those that it has none for."""

    name = "plan"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Rectangles from the pure function; the prompt lies on top."""
        assert isinstance(parent, MainScreen)
        boxes = dict(parent.plan(size).boxes)
        if (asked := parent.prompt.rows(size.width)) > 0:
            boxes["prompt"] = layout.prompt(parent.plan(size), asked, over_news=parent.prompt.bare)
        return [self._placed(child, boxes[child.id]) for child in children if child.id in boxes]

    @staticmethod
    def _placed(child: Widget, box: Box) -> WidgetPlacement:
        order = 1 if child.id == "prompt" else 0
        return WidgetPlacement(Region(*box), NULL_OFFSET, NULL_SPACING, child, order, fixed=True)


class MainScreen(Screen[None], inherit_bindings=False):
    """Bars, panes, prompt. Which pane is in front, and whether it has all the room, is known here alone."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    COMPONENT_CLASSES: ClassVar[set[str]] = STYLE_CLASSES

    def __init__(
        self,
        bars: dict[str, Callable[[int], Line]],
        ended: Callable[[Send | Then | str], None],
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__()
        self._bars = bars
        self._layout = PlanLayout()
        self.panes: dict[str, TablePane] = {kind.name: kind(number) for number, kind in enumerate(PANES, 1)}
        self.panes |= {kind.name: kind(number) for number, kind in enumerate(LISTS, 1 + len(PANES))}
        self.panes |= {kind.name: kind() for kind in UNNUMBERED}
        self.audit, self.inside = AuditPane(0), InsidePane()
        self.panes |= {pane.name: pane for pane in (self.audit, self.inside)}
        self.events = EventsPane()
        self.prompt = PromptBox(ended, monotonic)
        self.front = "sites"
        self.zoomed = False

    @property
    def layout(self) -> Layout:
        """Where things stand comes from the plan and not from a style sheet."""
        return self._layout

    def plan(self, size: Size | None = None) -> Plan:
        """The plan for `size`, or for the size it has."""
        width, height = size or self.size
        return layout.plan(width, height, self.front, zoomed=self.zoomed)

    def compose(self) -> ComposeResult:
        """All of it; what has no box at this size is not shown."""
        yield from (Bar(name, say) for name, say in self._bars.items())
        yield from self.panes.values()
        yield self.events
        yield self.prompt

    def on_resize(self) -> None:
        """The smallest screens have no room for frames."""
        boxed = self.plan().mode is not Mode.TINY
        for pane in self.panes.values():
            if pane.frame.boxed != boxed:
                pane.look(pane.frame._replace(boxed=boxed))

    def on_prompt_box_resized(self) -> None:
        """The prompt takes more rows, or fewer, or none."""
        self.arrange_anew()

    def show(self, picture: Picture, tables: Mapping[str, Table], recent: Sequence[Recorded]) -> None:
        """Put what is true now on the screen. What looks the same costs nothing."""
        for name, table in tables.items():
            self.panes[name].show(table)
        self.events.recent = recent
        self.events.show(self.events.table_of(picture))
        self.prompt.show(picture)
        self.repaint_bars()

    def arrange_anew(self) -> None:
        """What is shown where has changed. A child says so, for that is what makes Textual ask the plan again."""
        self.prompt.refresh(layout=True)

    def bring_to_front(self, name: str) -> None:
        """Look at another pane."""
        self.front = name
        self.arrange_anew()
        self.set_focus(self.panes[name], scroll_visible=False)

    def mark_front(self) -> None:
        """The frame of the pane in front says whether keys go there or to a prompt."""
        pane = self.panes[self.front]
        if pane.frame.focused is (self.prompt.dialog is not None):
            pane.look(pane.frame._replace(focused=self.prompt.dialog is None))

    def repaint_bars(self) -> None:
        """Say every line anew; those that say the same cost nothing."""
        self.mark_front()
        for bar in self.query(Bar):
            bar.repaint()
