"""What a server and its clients exchange beside the core's own messages: rows, observations and states as documents.

Each value has one function that writes it and one that reads it. Reading raises `Malformed`, whoever wrote it: a server
of another version, or something that is no server of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, fields
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from core import checkpoint
from core.audit import Fault, Row
from core.authority import Identity
from core.capabilities.rate_limits import Grant
from core.ports import AskingClient, ChainReport, LimitUsage, Observations, Reservation, Watched, WorkerRow
from core.scope import Scope
from core.showing import Veil
from core.state import State
from core.triggers.sample import Sample
from opsgate.hold import moment, timestamp

P = ParamSpec("P")
T = TypeVar("T")
Document = Mapping[str, Any]


class Malformed(ValueError):
    """A document is not what it should be."""


class Newer(Malformed):
    """A document is of a later version than this program reads."""


def _reads(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function that reads a document raise nothing but `Malformed`."""

    def wrap(read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def reading(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except Newer:
                raise
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise Malformed(f"this is no {what} of ours: {error!r}") from error

        return reading

    return wrap


def _said_of(kind: type[Any], document: Document) -> dict[str, Any]:
    """What a document says of the fields of a value. One that has a default may be missing, for a server of the version
    before does not say it; what is not known here is passed over."""
    needed = [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    named = [field.name for field in fields(kind) if field.name in document or field.name in needed]
    return {name: document[name] for name in named}


def of_row(row: Row) -> dict[str, Any]:
    """A row of the journal, as ``audit export`` prints it."""
    return asdict(row)


@_reads("event")
def row_from(document: Document) -> Row:
    """The row in a document."""
    row = Row(**{field.name: document[field.name] for field in fields(Row)})
    if not (type(row.revision) is int and type(row.version) is int and all(map(_is_text, _texts(row)))):
        raise TypeError("a field is of the wrong type")
    return row


def of_veil(veil: Veil) -> dict[str, Any]:
    """What stands, in a list of rows and in the stream, for events of which nothing may be seen."""
    return asdict(veil)


def of_news(news: Row | Veil) -> dict[str, Any]:
    """A row, or what stands for some."""
    return of_veil(news) if isinstance(news, Veil) else of_row(news)


@_reads("event")
def news_from(document: Document) -> Row | Veil:
    """The row in a document, or what stands for some."""
    if "after" not in document:
        return row_from(document)
    veil = Veil(**{field.name: document[field.name] for field in fields(Veil)})
    numbers = (veil.after, veil.revision, veil.control_revision, veil.names_revision)
    if not (all(type(number) is int for number in numbers) and _is_text(veil.before) and _is_text(veil.chain)):
        raise TypeError("a field is of the wrong type")
    return veil


class Page(NamedTuple):
    """What has happened behind a revision, and the end of the journal; an older server does not say its hash."""

    news: tuple[Row | Veil, ...]
    revision: int
    chain: str | None


def of_page(news: Iterable[Row | Veil], revision: int, chain: str) -> dict[str, Any]:
    """What has happened behind a revision, and the end of the journal."""
    return {"revision": revision, "chain": chain, "rows": [of_news(each) for each in news]}


@_reads("journal")
def page_from(document: Document) -> Page:
    """What has happened, in a document."""
    revision, chain = document["revision"], document.get("chain")
    if not (type(revision) is int and (chain is None or _is_text(chain))):
        raise TypeError("a field is of the wrong type")
    return Page(tuple(map(news_from, document["rows"])), revision, chain)


def of_state(state: State, chain: str) -> str:
    """A state and the hash of the last event in it, as JSON text; ``oldest_reader`` says who may show it as well."""
    head = f'"fleet":"{state.fleet}","revision":{state.revision},"chain":"{chain}"'
    return f'{{{head},"oldest_reader":{checkpoint.OLDEST_READER},"state":{checkpoint.dump(state)}}}'


@_reads("state")
def state_from(document: Document) -> tuple[State, str]:
    """The state in a document, as far as this program knows it, and the hash of its last event."""
    sent = document["state"]
    try:
        state = checkpoint.read(sent, oldest_reader=document.get("oldest_reader"))
    except (ValueError, TypeError, KeyError):
        if not is_newer(document):
            raise
        state = None
    if state is None:
        raise Newer(f"a state of ours in format {sent.get('format')} is none that this program reads")
    return state, str(document["chain"])


@_reads("state")
def is_newer(document: Document) -> bool:
    """Whether a document with a state is of a later version, so that there may be more than this program shows."""
    return document["state"].get("format") not in checkpoint.FORMATS_READ


def of_observations(seen: Observations) -> dict[str, Any]:
    """What is observed beside the journal."""
    return {
        "at": timestamp(seen.at),
        "keeper": seen.keeper,
        "workers": [of_worker(row) for row in seen.workers],
        "usage": [asdict(usage) for usage in seen.usage],
        "present": list(seen.present),
        "watched": [of_watched(one) for one in seen.watched],
        "known_as": of_identity(seen.known_as) if seen.known_as else None,
        "clients": [asdict(one) | {"heard_at": timestamp(one.heard_at)} for one in seen.clients],
    }


@_reads("observation")
def observations_from(document: Document) -> Observations:
    """The observations in a document."""
    return Observations(
        at=moment(document["at"]),
        workers=tuple(map(worker_from, document["workers"])),
        usage=tuple(LimitUsage(one["name"], one["used"], tuple(one["history"])) for one in document["usage"]),
        keeper=bool(document["keeper"]),
        present=tuple(map(str, document.get("present", ()))),
        known_as=identity_from(document["known_as"]) if document.get("known_as") else None,
        watched=tuple(map(watched_from, document.get("watched", ()))),
        clients=tuple(map(client_from, document.get("clients", ()))),
    )


@_reads("observation")
def client_from(document: Document) -> AskingClient:
    """The client in a document."""
    on, off = int(document["found_on"]), int(document["found_off"])
    return AskingClient(str(document["app"]), str(document["instance"]), moment(document["heard_at"]), on, off)


def of_watched(one: Watched) -> dict[str, Any]:
    """The latest values of a metric."""
    return asdict(one) | {"values": list(one.values), "at": timestamp(one.at)}


@_reads("observation")
def watched_from(document: Document) -> Watched:
    """The latest values of a metric in a document."""
    values = tuple(map(float, document["values"]))
    return Watched(str(document["emergency_id"]), str(document["metric"]), values, moment(document["at"]))


def of_sample(sample: Sample) -> dict[str, Any]:
    """A kept reading; ``at_s`` is seconds since the epoch, as exact as it was kept."""
    said = {"metric": sample.metric, "at_s": sample.at_s, "value": sample.value}
    return said | {"account": sample.account, "source": sample.source}


@_reads("sample")
def sample_from(document: Document) -> Sample:
    """The reading in a document."""
    account = document["account"]
    return Sample(
        str(document["metric"]),
        float(document["at_s"]),
        float(document["value"]),
        None if account is None else str(account),
        source=str(document["source"]),
    )


def of_worker(row: WorkerRow) -> dict[str, Any]:
    """What a worker last said, and when."""
    document = asdict(row)
    del document["boots"]  # what servers keep for each other
    return document | {"registered_at": timestamp(row.registered_at), "heartbeat_at": timestamp(row.heartbeat_at)}


@_reads("worker")
def worker_from(document: Document) -> WorkerRow:
    """The worker in a document."""
    known = _said_of(WorkerRow, document)
    known["registered_at"] = moment(known["registered_at"])
    known["heartbeat_at"] = moment(known["heartbeat_at"])
    known["stops"] = tuple(known["stops"])
    return WorkerRow(**known)


def of_reservation(reservation: Reservation) -> dict[str, Any]:
    """A reservation that was asked for, and what was answered."""
    return {"reservation_id": reservation.reservation_id, **asdict(reservation.grant)}


@_reads("reservation")
def reservation_from(document: Document) -> Reservation:
    """The reservation in a document."""
    grant = Grant(**_said_of(Grant, document))
    return Reservation(str(document["reservation_id"]), grant)


def of_chain_report(report: ChainReport) -> dict[str, Any]:
    """What verifying the journal found."""
    return asdict(report)


@_reads("report")
def chain_report_from(document: Document) -> ChainReport:
    """The report in a document."""
    fault = document["fault"]
    where = Fault(fault["revision"], fault["what"]) if fault else None
    counted = document.get("sealed", 0), document.get("erased", 0)
    return ChainReport(document["since"], document["revision"], document["chain"], where, *counted)


def of_identity(identity: Identity) -> dict[str, Any]:
    """Who somebody is taken for."""
    return {
        "name": identity.name,
        "role": identity.role,
        "sites": sorted(identity.scope.sites),
        "envs": sorted(identity.scope.envs),
        "worker_id": identity.worker_id,
        "token_id": identity.token_id,
        "expires_at": timestamp(identity.expires_at) if identity.expires_at else None,
    }


@_reads("identity")
def identity_from(document: Document) -> Identity:
    """The identity in a document. A role of a later version is taken as it is: it is for the server to know."""
    expires_at = document["expires_at"]
    return Identity(
        name=str(document["name"]),
        role=document["role"],
        scope=Scope(frozenset(map(str, document["sites"])), frozenset(map(str, document["envs"]))),
        worker_id=document["worker_id"],
        token_id=document["token_id"],
        expires_at=moment(expires_at) if expires_at else None,
    )


def _texts(row: Row) -> list[Any]:
    return [getattr(row, field.name) for field in fields(Row) if field.name not in ("revision", "version")]


def _is_text(value: object) -> bool:
    return isinstance(value, str)
