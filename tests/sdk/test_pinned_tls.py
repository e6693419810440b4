"""A pinned address still has to prove the name: the certificate is checked against the URL's host."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.sdk import transport
from connectors.sdk.transport import PINNED, AiohttpTransport

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture
def contexts(tmp_path: Path) -> Callable[[str], Contexts]:
    """(server's, client's) contexts around a fresh certificate for a name, trusted by the client."""

    def make(name: str) -> Contexts:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        chain = tmp_path / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = certificate.public_bytes(serialization.Encoding.PEM)
        chain.write_bytes(private + public)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(chain)
        return server, ssl.create_default_context(cadata=public.decode())

    return make


@pytest.mark.parametrize(("certified", "good"), [("files.vendor.invalid", True), ("evil.invalid", False)])
async def test_the_certificate_must_name_the_host(
    contexts: Callable[[str], Contexts], monkeypatch: pytest.MonkeyPatch, certified: str, good: bool
) -> None:
    """The right name gets an answer, another one is a failed connect: nothing was sent."""
    server, client = contexts(certified)
    monkeypatch.setattr(transport, "tls_context", lambda: client)
    seen: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append(request.host)
        return web.Response(text="report")

    app = web.Application()
    app.router.add_get("/report", note)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    port = runner.addresses[0][1]
    http = AiohttpTransport()
    request = httpx.Request("GET", f"https://files.vendor.invalid:{port}/report", extensions={PINNED: "127.0.0.1"})
    try:
        if good:
            response = await http.handle_async_request(request)
            assert await response.aread() == b"report"
            await response.aclose()
            assert seen == [f"files.vendor.invalid:{port}"]
        else:
            with pytest.raises(httpx.ConnectError):
                await http.handle_async_request(request)
            assert seen == []
    finally:
        await http.aclose()
        await runner.cleanup()
