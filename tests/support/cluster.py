"""A server that answers as the API of Kubernetes does, for one workload, its pods and one ConfigMap.

The documents have the fields of the API reference of apps/v1 and v1 that a client may rely on. Pods end a moment after
the workload is scaled down, and become unready a moment after they are told to pause.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.services import Web, as_json

_DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/billing"
_MAP = "/api/v1/namespaces/prod/configmaps/billing"
_PODS = "/api/v1/namespaces/prod/pods"


class Cluster:
    """One namespace with one workload."""

    def __init__(self, replicas: int) -> None:
        self.pods = self.replicas = replicas
        self.annotations: dict[str, str | None] = {}
        self.data: dict[str, str] = {}
        self.is_deaf = False
        self.kinds: list[str] = []
        self._looks = 0
        self._web = Web(self._answer)

    def config(self, how: str) -> dict[str, Any]:
        """How a driver finds it."""
        return {
            "api": self._web.url,
            "allow": ["127.0.0.1"],
            "token_file": "",
            "namespace": "prod",
            "name": "billing",
            "selector": "app=billing",
            "how": how,
        }

    def runs(self) -> bool:
        """Whether any pod works."""
        return self.pods > 0 and not self._is_paused()

    def turn_deaf(self) -> bool:
        """Pods are not ended, and do not pause."""
        self.is_deaf = True
        return True

    def close(self) -> None:
        """End the server."""
        self._web.close()

    def _is_paused(self) -> bool:
        return not self.is_deaf and "pause" in (self.annotations.get("state"), self.data.get("state"))

    def _answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        where, sent = urlsplit(path), json.loads(body) if body else {}
        if method == "PATCH":
            self.kinds.append(headers["Content-Type"])
        if where.path == _DEPLOYMENT:
            return self._deployment(method, sent)
        if where.path == _MAP and method == "PATCH":
            self.data |= sent["data"]
            return 200, as_json({"kind": "ConfigMap", "apiVersion": "v1", "data": self.data})
        if where.path == _PODS and parse_qs(where.query)["labelSelector"] == ["app=billing"]:
            return self._listed(method)
        said = {"kind": "Status", "status": "Failure", "message": f'"{where.path}" not found', "code": 404}
        return 404, as_json(said)

    def _deployment(self, method: str, sent: dict[str, Any]) -> tuple[int, bytes]:
        if method == "PATCH":
            self.replicas = sent.get("spec", {}).get("replicas", self.replicas)
            for name, value in sent.get("metadata", {}).get("annotations", {}).items():
                self.annotations[name] = value
            self.annotations = {name: value for name, value in self.annotations.items() if value is not None}
            self._looks = 0
        document = {
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "metadata": {"name": "billing", "namespace": "prod", "annotations": self.annotations},
            "spec": {"replicas": self.replicas},
            "status": {"replicas": self.pods, "readyReplicas": self.pods},
        }
        return 200, as_json(document)

    def _listed(self, method: str) -> tuple[int, bytes]:
        self._looks += 1
        if method == "DELETE":
            self.pods = 0
        elif self._looks > 1 and not (self.is_deaf and self.replicas < self.pods):
            self.pods = self.replicas
        ready = "False" if self._is_paused() else "True"
        pod = {
            "metadata": {"name": "billing-1", "labels": {"app": "billing"}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
        }
        return 200, as_json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod] * self.pods})
