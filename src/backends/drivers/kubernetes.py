"""The Kubernetes driver: scales a workload to nothing, or tells it to pause by an annotation or a ConfigMap.

What has stopped is what its pods say: none is left, or none of them is ready.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self
from urllib.parse import quote

from pydantic import Field

from backends.drivers.base import (
    Action,
    DriverConfig,
    DriverConfigError,
    DriverOrder,
    Host,
    Observation,
    Outcome,
    cut,
    example,
)
from backends.drivers.destinations import ALLOW, allowed_for, destination_of
from backends.drivers.web import CA_FILE, TOKEN_FILE, Answer, Site, WebFault

_NAME: Final = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_MERGE: Final = "application/merge-patch+json"
_REPLICAS: Final = "opsconsole.io/replicas"
"""The annotation in which a stop keeps how many there were."""

_PODS_MAX: Final = 50


class KubernetesConfig(DriverConfig):
    """A workload of a cluster, and how it is stopped. Scaled to nothing it has stopped when no pod is left, told by a
    word when none is ready."""

    model_config = example(namespace="shop", name="checkout", selector="app=checkout")

    namespace: str = Field(pattern=_NAME, description="where it lives")
    name: str = Field(pattern=_NAME, description="the workload's name, or the ConfigMap's")
    selector: str = Field(min_length=1, max_length=300, description="the label selector of its pods")
    how: Literal["scale", "annotate", "configmap"] = Field(
        default="scale", description="scale it to nothing, annotate it, or write a ConfigMap that its pods mount"
    )
    workload: Literal["deployments", "statefulsets"] = Field(default="deployments", description="what it is")
    key: str = Field(
        default="state", pattern=r"^[A-Za-z0-9._/-]{1,200}$", description="the annotation or entry written"
    )
    stop_word: str = Field(default="pause", pattern=r"^[a-z-]{1,32}$", description="what is written there to stop it")
    start_word: str = Field(default="resume", pattern=r"^[a-z-]{1,32}$", description="and to have it go on")
    replicas: int = Field(default=1, ge=1, le=10_000, description="how many it starts with, where no stop kept that")
    api: str = Field(default="https://kubernetes.default.svc", description="the API server, without a path")
    allow: tuple[str, ...] = Field(default=(), description=ALLOW)
    token_file: str = Field(default=f"{_ACCOUNT}/token", description=TOKEN_FILE)
    ca_file: str = Field(default=f"{_ACCOUNT}/ca.crt", description=CA_FILE)


class _Fault(Exception):
    """The API did not do what it was asked."""


class _Pods(NamedTuple):
    all: int
    ready: int
    is_whole: bool


class KubernetesDriver:
    """One workload of a cluster."""

    kind: ClassVar[str] = "kubernetes"

    def __init__(self, config: KubernetesConfig, host: Host) -> None:
        """`DriverConfigError` where the API may not be reached from here, or a file of it cannot be read."""
        self._config = config
        destination = destination_of(config.api)
        if destination.path != "/":
            raise DriverConfigError("api: it has no path")
        allowed = allowed_for(destination, config.allow, host.destinations)
        ca_file = config.ca_file if destination.scheme == "https" else ""
        self._site = Site.of(destination, allowed, token_file=config.token_file, ca_file=ca_file)
        self.can: frozenset[Action] = frozenset({"stop", "start"})
        if config.how == "scale":
            self.can |= {"kill"}
        self.settle_s = 0.0

    @classmethod
    def build(cls, service: str, config: Mapping[str, Any], host: Host) -> Self:
        """As `Driver.build`."""
        return cls(KubernetesConfig.read(config), host)

    # ------------------------------------------------------------------------------------------------ looking
    def observe(self, timeout_s: float) -> Observation:
        """What its pods say. One that is being ended is one that is there."""
        try:
            pods = self._pods(timeout_s)
        except _Fault as error:
            return Observation("unknown", cut(str(error)))
        told = f"{pods.all} pods, {pods.ready} ready"
        if not pods.is_whole:
            return Observation("running", f"more than {told}")
        if not pods.all or (self._config.how != "scale" and not pods.ready):
            return Observation("stopped", told)
        return Observation("running" if pods.ready else "stopping", told)

    def _pods(self, timeout_s: float) -> _Pods:
        query = f"labelSelector={quote(self._config.selector)}&limit={_PODS_MAX}"
        found = self._ask("GET", f"/api/v1/namespaces/{self._config.namespace}/pods?{query}", timeout_s)
        items = found.get("items")
        if not isinstance(items, list):
            raise _Fault("the answer lists no pods")
        alive = [pod for pod in items if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]
        return _Pods(len(alive), sum(map(_is_ready, alive)), not found.get("metadata", {}).get("continue"))

    # -------------------------------------------------------------------------------------------------- acting
    def stop(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Scale it to nothing, keeping how many there were; or say the word."""
        return self._carefully(lambda: self._stop(timeout_s))

    def _stop(self, timeout_s: float) -> str:
        if self._config.how != "scale":
            return self._say(self._config.stop_word, timeout_s)
        found = self._ask("GET", self._workload, timeout_s)
        replicas = found.get("spec", {}).get("replicas", 1)
        change: dict[str, Any] = {"spec": {"replicas": 0}}
        if replicas:
            change["metadata"] = {"annotations": {_REPLICAS: str(replicas)}}
        self._ask("PATCH", self._workload, timeout_s, change)
        return f"scaled from {replicas} to 0"

    def kill(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Scale it to nothing, and give the pods that are left no time."""
        return self._carefully(lambda: f"{self._stop(timeout_s)}, {self._end_pods(timeout_s)}")

    def _end_pods(self, timeout_s: float) -> str:
        path = f"/api/v1/namespaces/{self._config.namespace}/pods?labelSelector={quote(self._config.selector)}"
        self._ask("DELETE", path, timeout_s, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})
        return "pods ended"

    def start(self, order: DriverOrder, timeout_s: float) -> Outcome:
        """Scale it to what it was, or say the word."""
        return self._carefully(lambda: self._start(timeout_s))

    def _start(self, timeout_s: float) -> str:
        if self._config.how != "scale":
            return self._say(self._config.start_word, timeout_s)
        found = self._ask("GET", self._workload, timeout_s)
        if found.get("spec", {}).get("replicas", 0):
            return "it is scaled up already"
        kept = found.get("metadata", {}).get("annotations", {}).get(_REPLICAS, "")
        replicas = int(kept) if str(kept).isdigit() and int(kept) else self._config.replicas
        change = {"spec": {"replicas": replicas}, "metadata": {"annotations": {_REPLICAS: None}}}
        self._ask("PATCH", self._workload, timeout_s, change)
        return f"scaled from 0 to {replicas}"

    def _say(self, word: str, timeout_s: float) -> str:
        if self._config.how == "configmap":
            path = f"/api/v1/namespaces/{self._config.namespace}/configmaps/{self._config.name}"
            self._ask("PATCH", path, timeout_s, {"data": {self._config.key: word}})
        else:
            self._ask("PATCH", self._workload, timeout_s, {"metadata": {"annotations": {self._config.key: word}}})
        return f"{self._config.key}={word}"

    @property
    def _workload(self) -> str:
        config = self._config
        return f"/apis/apps/v1/namespaces/{config.namespace}/{config.workload}/{config.name}"

    def _carefully(self, act: Callable[[], str]) -> Outcome:
        try:
            return Outcome("done", cut(act()))
        except _Fault as error:
            return Outcome("timed-out" if str(error) == "no answer in time" else "failed", cut(str(error)))

    def _ask(self, method: str, path: str, timeout_s: float, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the API. Raises `_Fault`."""
        sent = None if body is None else json.dumps(body).encode()
        kind = _MERGE if method == "PATCH" else "application/json"
        try:
            answer = self._site.ask(method, path, timeout_s=timeout_s, body=sent, kind=kind)
        except WebFault as error:
            raise _Fault(str(error)) from None
        return _document(answer)


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if answer.status >= 300 or not isinstance(document, dict):
        said = document.get("message", "") if isinstance(document, dict) else "no JSON"
        raise _Fault(f"{answer.status}: {said}")
    return document


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
