"""A host runs out of something."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "system_resource_critical",
    "a host, or a worker that reports, uses more than the threshold",
    (
        Threshold("memoryUsage", "memoryUsage", "above", "last", 1, 1e15, "bytes", "resident memory of a process"),
        Threshold("memoryPercent", "memoryPercent", "above", "last", 0, 100, "%", "memory of the host in use"),
        Threshold("cpuUsage", "cpuUsage", "above", "last", 0, 100, "%", "processors in use"),
        Threshold("diskPercent", "diskPercent", "above", "last", 0, 100, "%", "disk in use"),
    ),
)
