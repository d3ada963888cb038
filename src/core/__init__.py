"""The state engine: commands and what is known go in, events and effects come out. Nothing here touches the world."""

OWNER = "opsconsole"
"""Tells this package from any other that is called ``core``; checked when opsconsole starts."""
