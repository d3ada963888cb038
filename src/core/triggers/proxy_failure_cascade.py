"""One proxy after the other fails."""

from core.triggers.kinds import Threshold, TriggerType

TYPE = TriggerType(
    "proxy_failure_cascade",
    "so many different proxies fail within the window, or so large a share of what goes through them",
    (
        Threshold("failedProxies", "proxyFailures", "from", "distinct", 1, 1e6, "proxies", "sources that failed"),
        Threshold("failureRate", "proxyFailures", "from", "percent", 0, 100, "%", "share of failures"),
    ),
)
