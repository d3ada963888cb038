"""Which methods a path takes: what ``OPTIONS`` is answered, and what a refusal of another one says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from starlette.responses import Response
from starlette.routing import compile_path


class Methods:
    """Knows the routes of a listener by their templates."""

    def __init__(self, routes: Iterable[tuple[str, str]]) -> None:
        """``routes`` are methods with templates of paths."""
        taken = defaultdict[str, set[str]](lambda: {"OPTIONS"})
        for method, template in routes:
            taken[template] |= {method, "HEAD"} if method == "GET" else {method}
        self._taken = [(compile_path(template)[0], methods) for template, methods in taken.items()]

    def allow(self, path: str) -> dict[str, str]:
        """The header that names them; none where there is no such path."""
        methods = {method for fits, methods in self._taken if fits.match(path) for method in methods}
        return {"Allow": ", ".join(sorted(methods))} if methods else {}


def options(allow: dict[str, str]) -> Response:
    """The answer to ``OPTIONS``. It lets no page of another origin in: nothing here is for browsers."""
    return Response(status_code=204, headers=allow)
