"""TLS by files, on both ports."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backends import open_backend, stop_lane
from backends.server.crowd import STOPS_PER_CLIENT
from core.errors import BackendUnavailable, NotOurDatabase
from opsconsole.cli.checkup.way import certificates
from tests.support.serving import DEADLINE_S, Served, server_process, serving
from tests.support.waiting import eventually


def certificate(folder: Path, *, good_for: timedelta = timedelta(days=30)) -> Path:
    """A file with a new key and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + good_for)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "tls.pem"
    put(file, secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def put(file: Path, content: bytes) -> None:
    """Write a file in one step, as those do that renew certificates."""
    (new := file.with_suffix(".new")).write_bytes(content)
    new.replace(file)


def trust_in(file: Path) -> ssl.SSLContext:
    """Who trusts the certificate that is in a file now, and no other."""
    text = file.read_text()
    return ssl.create_default_context(cadata=text[text.index("-----BEGIN CERTIFICATE") :])


def shows(port: str, trusted: ssl.SSLContext) -> bool:
    """Whether a port shows a certificate that is trusted there."""
    try:
        return httpx.get(f"{port}/healthz", verify=trusted, timeout=DEADLINE_S).status_code == 200
    except httpx.ConnectError:
        return False


class Secured(NamedTuple):
    """A server with TLS, where both its ports are, and who trusts it."""

    served: Served
    url: str
    stop_url: str
    trust: ssl.SSLContext


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("fleet")
    file = certificate(folder)
    with (
        pytest.MonkeyPatch.context() as patched,
        serving(f"sqlite:///{folder / 'fleet.db'}", certificate=file, heartbeat_s=0.2) as served,
    ):
        patched.setattr("backends.server.connections._FIRST_WORD_S", 3.0)
        url, stop_url = (each.replace("http:", "https:") for each in (served.url, served.stop_url))
        yield Secured(served, url, stop_url, ssl.create_default_context(cafile=str(file)))


def test_both_ports_speak_tls_and_nothing_else(secured: Secured) -> None:
    served, url, stop_url, trust = secured

    with httpx.Client(verify=trust, timeout=DEADLINE_S) as trusting:
        assert trusting.get(f"{url}/healthz").status_code == 200
        assert trusting.get(f"{url}/v1/state").json()["fleet"] == served.room.fleet
        assert trusting.post(f"{stop_url}/v1/stop").status_code in {200, 202}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", timeout=DEADLINE_S)
    with pytest.raises(httpx.HTTPError):
        served.get("/healthz")


def test_who_sends_too_much_reads_why_through_tls_too(secured: Secured) -> None:
    for url in (f"{secured.url}/v1/commands", f"{secured.stop_url}/v1/stop"):
        answer = httpx.post(url, content=b"x" * (6 << 20), verify=secured.trust, timeout=DEADLINE_S)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
def test_who_begins_no_handshake_counts_among_his_own_and_is_cut_in_time(secured: Secured, said: bytes) -> None:
    """Otherwise whoever opens thousands would leave no descriptor for a stop."""
    where = httpx.URL(secured.stop_url)
    with ExitStack() as opened:
        silent = [
            opened.enter_context(socket.create_connection((where.host, where.port), timeout=DEADLINE_S))
            for _ in range(STOPS_PER_CLIENT + 8)
        ]
        for each in silent[8:]:
            each.sendall(said)

        assert silent[0].recv(1) == b"", "there are too many of the same client"
        stopped = httpx.post(f"{secured.stop_url}/v1/stop", verify=secured.trust, timeout=DEADLINE_S)
        assert stopped.status_code in (200, 202)
        for each in silent:
            with suppress(ConnectionResetError):
                assert each.recv(1) == b""


def test_a_console_that_speaks_plainly_to_a_secured_server_or_the_reverse_is_told_which(
    secured: Secured, tmp_path: Path
) -> None:
    with serving(f"sqlite:///{tmp_path / 'plain.db'}") as plain:
        wrong = {secured.served.url: "https://", plain.url.replace("http:", "https:"): "http://"}

        for url, other in wrong.items():
            with pytest.raises(BackendUnavailable) as caught:
                open_backend(url)
            assert f"is it an {other} server?" in caught.value.hint


def test_a_console_believes_no_server_that_cannot_prove_who_it_is_and_says_what_to_do(
    secured: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one whose authority nobody here knows, nor one that has another name. A stop is latched all the same."""
    where = urlsplit(secured.url)
    known = tmp_path / "known.pem"
    known.write_text(ssl.get_server_certificate((str(where.hostname), where.port or 0)))

    def refused(url: str) -> NotOurDatabase:
        with pytest.raises(NotOurDatabase) as caught:
            open_backend(url, token="ops_secret")
        return caught.value

    unknown = refused(secured.url)
    fired = stop_lane.fire(stop_lane.new_order(), url=secured.url, token="ops_secret")
    monkeypatch.setenv("SSL_CERT_FILE", str(known))
    another = refused(f"https://127.1:{where.port}")

    assert (unknown.code, another.code) == ("not-trusted", "not-trusted")
    assert "SSL_CERT_FILE" in unknown.hint
    assert (fired.latched, fired.durable, [told.word for told in fired.servers]) == (True, "spool", ["absent"])
    assert "certificate verify failed" in fired.servers[0].fault
    with closing(open_backend(secured.url)) as backend:
        assert backend.state().fleet == secured.served.room.fleet
        eventually(lambda: fired.order.stop_id in backend.state().stops)  # its keeper has found the latch here


def test_a_new_certificate_is_shown_to_whoever_comes_and_one_that_is_none_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And who is connected stays so."""
    file = certificate(tmp_path)
    old = trust_in(file)
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", certificate=file, heartbeat_s=0.05) as served:
        ports = [url.replace("http:", "https:") for url in (served.url, served.stop_url)]
        with httpx.Client(verify=old, timeout=DEADLINE_S) as connected:
            assert connected.get(f"{ports[0]}/healthz").status_code == 200
            put(file, b"half of one")
            eventually(lambda: "a new certificate is of no use" in caplog.text, within_s=DEADLINE_S)
            assert all(shows(port, old) for port in ports)

            new = trust_in(certificate(tmp_path))
            eventually(lambda: all(shows(port, new) for port in ports), within_s=DEADLINE_S)
            assert not any(shows(port, old) for port in ports)
            assert connected.get(f"{ports[0]}/healthz").status_code == 200


def days_left(served: Served, trusted: ssl.SSLContext) -> float:
    """What the metrics say."""
    page = httpx.get(f"{served.url.replace('http:', 'https:')}/metrics", verify=trusted).text
    found = re.search(r"^opsconsole_certificate_days_left (\S+)$", page, re.MULTILINE)
    assert found, page
    return float(found[1])


def warnings(served: Served, trusted: ssl.SSLContext) -> list[str]:
    """What is said to a probe."""
    ready = httpx.get(f"{served.url.replace('http:', 'https:')}/readyz", verify=trusted)
    assert ready.status_code == 200
    found: list[str] = ready.json()["warnings"]
    return found


def test_a_certificate_that_ends_soon_is_spoken_of_until_there_is_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = certificate(tmp_path, good_for=timedelta(days=5, hours=1))
    soon = trust_in(file)
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", certificate=file, heartbeat_s=0.05) as served:
        eventually(lambda: "the certificate expires on" in caplog.text, within_s=DEADLINE_S)
        (warned,) = warnings(served, soon)
        assert "in 5 days: put a new one into its file" in warned
        assert 5 < days_left(served, soon) < 5.1
        (found,) = certificates(served.url.replace("http:", "https:"))
        assert found.verdict == "warn"
        assert warned.partition(":")[0].removeprefix("the certificate ") in found.detail

        later = trust_in(certificate(tmp_path))
        eventually(lambda: shows(served.url.replace("http:", "https:"), later), within_s=DEADLINE_S)
        assert warnings(served, later) == []
        assert 29.9 < days_left(served, later) < 30


def test_one_that_has_expired_is_said_at_the_start_and_by_doctor(tmp_path: Path) -> None:
    file = certificate(tmp_path, good_for=-timedelta(days=2))
    with server_process(f"sqlite:///{tmp_path / 'fleet.db'}", "--dev", "--tls-cert", str(file)) as served:
        (found,) = certificates(served.url)

        assert re.search(r"the certificate expired on .* UTC: put a new one", served.said)
        assert found.verdict == "fail"
        assert "expired on" in found.detail


def test_a_file_that_holds_no_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    with (
        pytest.raises(OSError, match="no certificate with its key"),
        serving(f"sqlite:///{tmp_path / 'fleet.db'}", certificate=nothing),
    ):
        pass
