"""Who is at the other end of the connection: the trusted proxies in front, and the client certificate one passes on.

A certificate is believed from a trusted proxy only, and only its hash counts here (RFC 8705 §3): whether it is valid
is the proxy's business. Two forms are read: RFC 9440 (base64 DER between colons) and nginx's
`$ssl_client_escaped_cert` (percent-encoded PEM).
"""

import base64
import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request

from gateway.domain.base64url import b64
from gateway.domain.errors import Malformed

Network = IPv4Network | IPv6Network

_CERTIFICATE_LIMIT = 16_384
_KEPT = 4096


class Peers:
    """`header` is the name of the certificate's header; empty when certificates are not used."""

    def __init__(self, proxies: Sequence[Network], header: str) -> None:
        self._proxies, self._header = tuple(proxies), header.lower()
        self._known: dict[str, str] = {}

    @property
    def certificates(self) -> bool:
        """Whether tokens can be bound to certificates here."""
        return bool(self._header)

    def certificate(self, request: Request) -> str | None:
        """`x5t#S256` of the client's certificate; None without one.

        Malformed when it cannot be read, stands there twice, or comes from anyone but a trusted proxy.
        """
        if not self._header:
            return None
        given = request.headers.getlist(self._header)
        if not given:
            return None
        if len(given) != 1 or not self._trusted(self._peer(request)):
            raise _malformed()
        return self._thumbprint(given[0]) if given[0] else None

    def address(self, request: Request) -> str:
        """The caller's address: the peer's, or what a trusted proxy says of who called it (X-Forwarded-For)."""
        found = self._peer(request)
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops):
            if not self._trusted(found) or not hop.strip():
                break
            try:
                found = _plain(ip_address(hop.strip()))
            except ValueError:
                break
        return str(found)

    def _peer(self, request: Request) -> IPv4Address | IPv6Address | None:
        try:
            return _plain(ip_address(request.client.host)) if request.client else None
        except ValueError:
            return None

    def _trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._proxies)

    def _thumbprint(self, text: str) -> str:
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[text] = certificate_thumbprint(text)
        return found


def certificate_thumbprint(text: str) -> str:
    """base64url of SHA-256 of the certificate's DER (RFC 8705 §3.1); Malformed when it is no certificate."""
    if len(text) > _CERTIFICATE_LIMIT:
        raise _malformed()
    try:
        if text.startswith(":"):
            if len(text) < 2 or not text.endswith(":"):
                raise ValueError
            der = base64.b64decode(text[1:-1], validate=True)
            certificate = x509.load_der_x509_certificate(der)
        else:
            certificate = x509.load_pem_x509_certificate(unquote(text, errors="strict").encode())
    except ValueError:
        raise _malformed() from None
    return b64(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that came as an IPv6 one, as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


def _malformed() -> Malformed:
    return Malformed("客户端证书头无法接受。", "The client certificate header cannot be accepted.")
