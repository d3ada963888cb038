"""A stop by the clock."""

from core.triggers.kinds import TriggerType

TYPE = TriggerType("time_based_trigger", "the time of its schedule comes", needs="schedule")
