"""TLS by files, on both ports."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.serving import serving


def certificate(folder: Path) -> Path:
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
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "tls.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_both_ports_speak_tls_and_nothing_else(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    with serving(f"sqlite:///{tmp_path / 'fleet.db'}", certificate=file) as served:
        ours = ssl.create_default_context(cafile=str(file))
        secure, stops = (url.replace("http:", "https:") for url in (served.url, served.stop_url))
        assert httpx.get(f"{secure}/healthz", verify=ours).status_code == 200
        assert httpx.get(f"{secure}/v1/state", verify=ours).json()["fleet"] == served.room.fleet
        assert httpx.post(f"{stops}/v1/stop", verify=ours).json()["durable"] in {"database", "spool"}
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{secure}/healthz")
        with pytest.raises(httpx.HTTPError):
            served.get("/healthz")


def test_a_file_that_holds_no_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    with (
        pytest.raises(OSError, match="no certificate with its key"),
        serving(f"sqlite:///{tmp_path / 'fleet.db'}", certificate=nothing),
    ):
        pass
