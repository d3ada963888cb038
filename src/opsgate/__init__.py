"""opsgate: what a worker imports to ask whether its next piece of work may run.

    from opsgate import Gate
    gate = Gate.open("sqlite:///fleet.db")
    decision = gate.check(site="s1", operation="site_creation")
    if not decision:
        return decision.skipped()

Nothing outside the standard library is needed, and nothing but the gate itself raises into the worker, and only
where it was asked to (`Gate.guard`, ``checkpoint(raises=True)``).
"""
