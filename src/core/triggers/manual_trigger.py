"""A stop that was prepared for a person to fire by name."""

from core.triggers.kinds import TriggerType

TYPE = TriggerType("manual_trigger", "a person fires it")
