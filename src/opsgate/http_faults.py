"""What goes wrong between a gate and a server, each as one sentence with the next step. No token is in any of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opsgate.pauselog import plain
from opsgate.snapshot import FORMAT
from opsgate.sources import SourceError


class Unreachable(SourceError):
    """No connection, or one that broke: another server may answer, or this one later."""


class Refused(SourceError):
    """An answer that only a person can change: no permission, a certificate, another version."""

    lasting = True


class Replaced(Refused):
    """A later start of this worker has taken its place."""


REPLACED: Final = "replaced"
"""The code of the problem that says so."""


class Behind(SourceError):
    """The server knows less of the fleet than the gate, for a moment or because its database was put back."""


class NoStream(SourceError):
    """The server can be asked and does not tell by itself, or something between swallows what it tells. Where it is
    not ``certain``, it may only have been busy."""

    def __init__(self, sentence: str, *, certain: bool = True) -> None:
        super().__init__(sentence)
        self.certain = certain


def unconnected(url: str, fault: OSError | None) -> SourceError:
    """A connection did not come about."""
    if url.startswith("https:") and fault is not None:
        import ssl

        if isinstance(fault, ssl.SSLCertVerificationError):
            return Refused(
                f"{url} shows a certificate that is not trusted ({fault.verify_message}): name the authority that "
                "signed it in OPSGATE_CA_FILE, or call the server by the name in its certificate"
            )
        if isinstance(fault, ssl.SSLError):
            return Refused(f"{url} does not speak TLS as we do ({fault.reason}): is it an http:// server?")
    return Unreachable(f"{url} cannot be reached: {in_short(fault)}")


def unanswered(url: str, status: int, body: bytes, *, had_token: bool, worker: str) -> SourceError:
    """An answer that is none of those that were asked for."""
    said = _problem(body)
    if status == 401 and not had_token:
        return Refused(
            f"{url} wants a token: make one with 'opsconsole token create --role worker --worker {worker}' and give it "
            "as token= or in OPSGATE_TOKEN"
        )
    if status == 401:
        return Refused(
            f"{url} does not take the token, which is unknown, expired or revoked: make another with 'opsconsole token "
            f"create --role worker --worker {worker}' and restart the worker with it"
        )
    if status == 403:
        return Refused(
            f"{url} does not let this token speak for {worker}{said}: make one with 'opsconsole token create --role "
            f"worker --worker {worker}'"
        )
    if status in (301, 302, 303, 307, 308):
        return Refused(f"{url} points elsewhere ({status}): give the gate the place itself")
    if status == 409 and _member(body, "code") == REPLACED:
        return Replaced(f"{url} knows a later start of {worker}, which has taken its place{said}: end this process")
    if status == 409:
        return Refused(f"{url} knows {worker} as another process{said}: give each worker a name of its own")
    if status in (404, 405, 406, 501):
        return Refused(f"{url} has nothing for gates ({status}): is it an opsconsole server of this version?")
    return Unreachable(f"{url} answers {status}{said}")


def unreadable(url: str, error: Exception) -> SourceError:
    """A document that no server of this version writes."""
    return Unreachable(f"{url} sent what cannot be read ({type(error).__name__}): is it an opsconsole server?")


def of_another_version(url: str, written_in: int) -> SourceError:
    """A document of a format that this version does not read."""
    return Refused(
        f"{url} speaks format {written_in}, and this opsgate reads {FORMAT}, one back and one forth: bring both to the "
        "same version"
    )


def of_another_fleet(url: str, fleet: str, ours: str) -> SourceError:
    """A document of a fleet that is not the one that is followed."""
    return Refused(f"{url} belongs to fleet {fleet} and not to {ours}: restart the worker if that is meant")


def in_short(fault: Exception | None) -> str:
    """What the system says of it."""
    if isinstance(fault, TimeoutError):
        return "it did not answer in time"
    return str(getattr(fault, "strerror", None) or fault or "it has no address")


@contextmanager
def broken_means(url: str) -> Iterator[None]:
    """Turn what a broken connection raises into one sentence."""
    import http.client

    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"{url} did not answer in time") from error
    except ConnectionError as error:  # `RemoteDisconnected` among them
        raise Unreachable(f"{url} hung up{_perhaps(url)}") from error
    except http.client.HTTPException as error:
        raise Unreachable(
            f"{url} does not speak HTTP ({type(error).__name__}): is it an https:// server, or another one?"
        ) from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"{url} broke off: {in_short(error)}") from error


def _perhaps(url: str) -> str:
    """Who waits for TLS hangs up on whoever speaks plainly."""
    return "" if url.startswith("https:") else ": does it run, and is it an https:// server?"


def _problem(body: bytes) -> str:
    """What a problem document says, made harmless; nothing where there is none."""
    said = _member(body, "detail") or _member(body, "title")
    return f" ({plain(str(said), 200)})" if said else ""


def _member(body: bytes, name: str) -> object:
    try:
        return json.loads(body).get(name)
    except (ValueError, AttributeError, RecursionError):
        return None
