"""The names that are fixed for ever: dimensions of work, and the two spellings of a feature flag.

A flag and an operation are one thing under two names (S0 spells ``enableSiteCreation`` in its settings and asks
about site creation in its workers), so every verb, route and key accepts either and stores the operation.
"""

from __future__ import annotations

from typing import Final

DIMENSIONS: Final = (
    "site",
    "operation",
    "workflow",
    "service",
    "dependency",
    "campaign",
    "account",
    "agent",
    "env",
)
"""Every dimension a selector may name, in the order in which they are printed."""

REGISTERED: Final = frozenset({"site", "operation", "workflow", "service", "dependency", "campaign"})
"""Dimensions whose values are registered: a hold on an unknown value is refused unless it says create."""

OPERATION_OF_FLAG: Final = {
    "enableSiteCreation": "site_creation",
    "enableContentGeneration": "content_generation",
    "enableGSCVerification": "gsc_verification",
    "enableContentOptimization": "content_optimization",
    "enableABTesting": "ab_testing",
}
"""S0's five flags and the operation that each one switches."""

FLAG_OF_OPERATION: Final = {operation: flag for flag, operation in OPERATION_OF_FLAG.items()}

OPERATIONS: Final = (*FLAG_OF_OPERATION, "opportunity_scan")
"""The operations of S0: one for each flag, and the scan that only has a limit."""

WORKFLOWS: Final = (
    "xml-import",
    "shipstation-upload",
    "status-sync",
    "manual-order-sync",
    "orders-cleanup",
    "weekly-reporter",
)
"""The six workflows of S2."""


def operation_named(name: str) -> str:
    """The operation behind ``name``, which may be a flag of S0 (``enableABTesting``) or the operation itself."""
    return OPERATION_OF_FLAG.get(name, name)
