"""Whether a token is in its holder's hands: by a DPoP proof (RFC 9449), by a client certificate (RFC 8705), or both."""

import time
from dataclasses import dataclass
from hmac import compare_digest

from starlette.requests import Request

from gateway.domain.errors import Malformed, TokenNotBound
from gateway.http.dpop import Proof, ProofReader, Target, refused
from gateway.http.inspector import Inspector
from gateway.http.peers import Peers
from gateway.http.wire import header

_STALE_SECONDS = 60
"""A nonce with no longer to live than this is answered with the next one."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a token is bound to (`cnf`): the thumbprints of a key and of a certificate; `token_hash` is its `ath`."""

    token_hash: str
    key: str | None = None
    certificate: str | None = None


class Binding:
    """Checks tokens against what the caller shows. `required`: unbound tokens are neither made nor taken."""

    def __init__(self, proofs: ProofReader, peers: Peers, required: bool) -> None:
        self._proofs, self.peers, self._required = proofs, peers, required
        self._inspector = Inspector()

    def check(self, request: Request, scheme: str, bound: Confirmation) -> Proof | None:
        """The proof that is yet to be spent, if the token is bound to a key; TokenNotBound when it is not its holder.

        A proof beside a token that is not bound to a key says nothing and is not looked at.
        """
        self._check_certificate(request, bound)
        if bound.key is None:
            if scheme == "dpop":
                raise refused(
                    "该令牌未绑定密钥，请按 Bearer 使用。", "The token is bound to no key.", "invalid_token"
                )
            if self._required and bound.certificate is None:
                raise refused(
                    "本网关只接受绑定的令牌。", "Only bound tokens are taken here.", "invalid_token"
                )
            return None
        if scheme != "dpop":
            zh, en = "该令牌须随 DPoP 证明使用。", "The token is to be used with a DPoP proof."
            raise refused(zh, en, "invalid_token")
        return self._read(request, Target(request.method, request.scope["path"], bound.token_hash, bound.key))

    def looked_at(self, proof: Proof) -> Proof:
        """The proof, its signature looked at beside the event loop from here on."""
        return proof.handed(self._inspector)

    def close(self) -> None:
        """End what was started to verify proofs."""
        self._inspector.close()

    def at_token_endpoint(self, request: Request, path: str) -> tuple[Proof | None, dict[str, str]]:
        """The proof and the `cnf` of a token that is about to be made; TokenNotBound says what is wrong."""
        try:
            certificate = self.peers.certificate(request)
        except Malformed as error:
            raise refused(error.detail_zh, error.detail_en, "invalid_request") from None
        found = {"x5t#S256": certificate} if certificate else {}
        if not header(request, b"dpop"):
            if self._required and not found:
                raise refused("本网关只发放绑定的令牌。", "Only bound tokens are given here.")
            return None, found
        proof = self._read(request, Target("POST", path))
        if not proof.held():
            raise refused("DPoP 证明的签名有误。", "The proof's signature is wrong.")
        return proof, {**found, "jkt": proof.thumbprint}

    def _read(self, request: Request, target: Target) -> Proof:
        given, now = header(request, b"dpop"), time.time()
        try:
            if len(given) != 1:
                raise refused("请求须带一个 DPoP 头。", "Exactly one DPoP header is needed.")
            proof = self._proofs.read(given[0], target, now)
        except TokenNotBound:
            self._offer(request, now)
            raise
        if proof.expires - now < _STALE_SECONDS:
            self._offer(request, now)
        return proof

    def _offer(self, request: Request, now: float) -> None:
        """The answer will bear the nonce to use from now on (RFC 9449 §8)."""
        request.scope.setdefault("state", {})["dpop_nonce"] = self._proofs.nonces.current(now)

    def _check_certificate(self, request: Request, bound: Confirmation) -> None:
        try:
            shown = self.peers.certificate(request)
        except Malformed:
            raise _other_certificate() from None
        if bound.certificate is not None and not compare_digest(shown or "", bound.certificate):
            raise _other_certificate()


def _other_certificate() -> TokenNotBound:
    zh, en = "客户端证书与令牌不符。", "The client certificate is not the one the token is bound to."
    return TokenNotBound(zh, en)
