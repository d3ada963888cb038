"""A line that is being typed."""

from __future__ import annotations

from opsconsole.text import clean, cut, width

LENGTH_MAX = 300
"""What a reason may have; longer is rejected by the engine, so it cannot be typed here."""

SHOWN_MAX = 60


class Field:
    """Text at whose end is typed. What it holds is what came; what it shows is harmless."""

    def __init__(self, value: str = "") -> None:
        self.value = value

    def key(self, key: str, character: str | None) -> bool:
        """Take a key; False when it is none for a field."""
        match key:
            case "backspace" | "ctrl+h":
                self.value = self.value[:-1]
            case "ctrl+u":
                self.value = ""
            case "ctrl+w":
                self.value = self.value.rstrip().rpartition(" ")[0]
            case _ if character is not None and character.isprintable():
                self.value = (self.value + character)[:LENGTH_MAX]
            case _:
                return False
        return True

    def paste(self, text: str) -> None:
        """Take the first line of a paste, without what cannot be typed."""
        first = next(iter(text.splitlines()), "")
        self.value = (self.value + "".join(filter(str.isprintable, first)))[:LENGTH_MAX]

    def shown(self) -> str:
        """The end of the text, which is where the typing goes on."""
        said = clean(self.value, LENGTH_MAX)
        while width(said) > SHOWN_MAX:
            said = said[max(1, width(said) - SHOWN_MAX) // 2 or 1 :]
        return cut(said, SHOWN_MAX)
