"""The one kind of widget of the console: it paints lines, and of those only the cells that changed.

Textual repaints the whole region that a widget asks for; it does not compare cells. A table widget that refreshes
itself for one changed number costs 26 kB on the wire. So this one keeps the lines that it painted, compares, and asks
for exactly the run of cells that differs.
"""

from __future__ import annotations

from abc import abstractmethod

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from opsconsole.charset import to_ascii
from opsconsole.dress import DARK, Dress
from opsconsole.lines import Line, Style, difference, line

NEVER = Size(-1, -1)

REGIONS_MAX = 15
"""Above so many changed lines one repaint of the whole is cheaper than a region each."""

STRIPS_MAX = 200
"""So many lines are kept as Textual takes them: those that are scrolled away come back."""

STYLE_CLASSES = {f"style--{style}" for style in Style}
"""The component classes that a screen of painted widgets must have, one for each meaning. One screen has them for all
its widgets: matched anew for each of a dozen widgets they would take most of the time of the first paint."""


class Painted(Widget):
    """Lines of styled text, painted by difference. Subclasses say what they are in `draw`."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._painted: list[Line] = []
        self._painted_size = NEVER
        self._handed_out: tuple[Region, list[Strip]] | None = None
        self._strips: dict[Line, Strip] = {}

    @abstractmethod
    def draw(self, width: int, height: int) -> list[Line]:
        """The lines that should be on the screen now, `height` of them, each `width` cells long."""

    def repaint(self) -> None:
        """Draw anew and send what differs from what was painted."""
        if self._painted_size != self.size:
            self._forget()
            return
        old, new = self._painted, self._draw_all(self.size)
        regions = [
            Region(span[0], y, span[1] - span[0], 1)
            for y, (before, after) in enumerate(zip(old, new, strict=True))
            if (span := difference(before, after))
        ]
        if not regions:
            return
        self._painted = new
        self.refresh(*(regions if len(regions) <= REGIONS_MAX else ()))

    def _forget(self) -> None:
        """It has another size now, or is hidden and has none: Textual will ask for every line by itself.

        What was painted must not come back when it is shown again, so that is forgotten, and Textual's own copy too.
        """
        if self._painted_size != NEVER:
            self._painted, self._painted_size = [], NEVER
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual asks for one line."""
        if self._painted_size != self.size:
            self._painted, self._painted_size = self._draw_all(self.size), self.size
        return self._strip(self._painted[y]) if y < len(self._painted) else Strip.blank(self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual asks every widget for all its lines when one cell of one widget changed: hand out the last ones."""
        if self._handed_out is None or self._handed_out[0] != crop:
            self._handed_out = crop, super().render_lines(crop)
        return self._handed_out[1]

    def _set_dirty(self, *regions: Region) -> None:
        """Textual drops what it keeps of this widget itself here, and only here."""
        self._handed_out = None
        if not regions or len(self._strips) > STRIPS_MAX:
            self._strips = {}
        super()._set_dirty(*regions)

    def _draw_all(self, size: Size) -> list[Line]:
        drawn = self.draw(size.width, size.height)[: size.height]
        return drawn + [line(size.width)] * (size.height - len(drawn))

    def _strip(self, drawn: Line) -> Strip:
        if drawn not in self._strips:
            self._strips[drawn] = self._styled(drawn)
        return self._strips[drawn]

    def _styled(self, drawn: Line) -> Strip:
        style_of = self.screen.get_component_rich_style
        dress: Dress = getattr(self.app, "dress", DARK)  # a program that is no console has none
        fold = to_ascii if dress.ascii_only else str
        return Strip([Segment(fold(text), style_of(f"style--{style}")) for text, style in drawn], self.size.width)
