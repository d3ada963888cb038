"""Why services of a stop have not been seen to stop: asked of the journal when the waiting is over."""

from __future__ import annotations

from backends import open_backend
from core.errors import OpsError
from core.service_facts import attempted, in_words
from core.services import MISSING_PREFIX, ServiceStep
from core.state import State
from opsconsole.cli.outcome import Outcome
from opsconsole.config import Settings


def unstopped(outcome: Outcome, settings: Settings, token: str) -> dict[str, str]:
    """Each service that is missing, and the reason: its last attempt that did not work, the last one, or that nobody
    has reported any. Where the journal cannot be asked, that is the reason."""
    names = [name.removeprefix(MISSING_PREFIX) for name in outcome.missing if name.startswith(MISSING_PREFIX)]
    try:
        backend = open_backend(settings.backend, timeout_s=settings.timeout_s, token=token)
    except OpsError as error:
        return dict.fromkeys(names, f"its attempts cannot be read: {error}")
    try:
        state = backend.state(timeout_s=settings.timeout_s)
    except OpsError as error:
        return dict.fromkeys(names, f"its attempts cannot be read: {error}")
    finally:
        backend.close()
    stop = state.stops.get(outcome.fired.order.stop_id)
    steps = {} if stop is None else {step.service: step for step in stop.services}
    return {name: _why(state, name, steps.get(name)) for name in names}


def _why(state: State, name: str, step: ServiceStep | None) -> str:
    if step is not None and step.actions:
        return attempted(step) or f"{in_words(step.actions[-1])}, and it is {step.standing}"
    service = state.services.get(name)
    where = f"the keeper of {service.host}" if service is not None and service.host else "the keeper that leads"
    return f"no attempt is reported yet: {where} drives it"
