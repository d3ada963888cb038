"""A rule of one's own over samples and state."""

from core.triggers.kinds import TriggerType

TYPE = TriggerType("custom_rule_trigger", "its rule in CEL is true", needs="rule")
