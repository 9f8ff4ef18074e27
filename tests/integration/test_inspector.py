"""Signatures verified beside the event loop: every verdict right, whatever becomes of the process that gives it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.http.dpop import Proof, ProofReader, Target, token_hash
from gateway.http.inspector import Inspector
from gateway.http.jwks import public_key
from gateway.http.nonces import Nonces
from gateway.http.verifier import Verifier
from tests.proofs import Ed25519, Es256

HERE, PATH, NOW, TOKEN = "https://gateway.example", "/v1/exchanges/applicant-check/ask", 1_800_000_000.0, "t"
NONCES = Nonces(lambda prefix, *parts: f"{prefix}-{parts[0].hex()}")
READER = ProofReader([HERE], NONCES)
OTHER = Es256()


def proofs(key: Es256, count: int = 60) -> list[Proof]:
    """Every third bears another key's signature."""
    target = Target("POST", PATH, token_hash(TOKEN), public_key(key.alg, key.jwk)[1])
    forger = Ed25519() if key.alg != "ES256" else OTHER
    claims = {"iat": int(NOW), "nonce": NONCES.current(NOW), "ath": token_hash(TOKEN)}
    made = []
    for number in range(count):
        signer = key if number % 3 else forger
        text = signer.proof("POST", HERE + PATH, {"jwk": key.jwk}, **claims)
        made.append(READER.read(text, target, NOW))
    return made


RIGHT = [bool(number % 3) for number in range(60)]


@asynccontextmanager
async def working() -> AsyncIterator[Inspector]:
    """An inspector whose process is at work."""
    inspector = Inspector(wanted=True)
    try:
        for proof in proofs(Es256(), 1):
            assert not inspector.take(proof)
        for _ in range(2000):
            if inspector.process is not None:
                break
            await asyncio.sleep(0.01)
        yield inspector
    finally:
        inspector.close()


async def settled(given: list[Proof], inspector: Inspector) -> int:
    """Waits until every proof is known; how many were looked at elsewhere."""
    told = [asyncio.Event() for _ in given]
    handed = [each.handed(inspector).pending(event.set) for each, event in zip(given, told, strict=True)]
    await asyncio.gather(*(event.wait() for event, there in zip(told, handed, strict=True) if there))
    return sum(handed)


@pytest.mark.parametrize("key", [Es256(), Ed25519()], ids=["ES256", "Ed25519"])
def test_every_verdict_is_right(key: Es256) -> None:
    async def run() -> None:
        async with working() as inspector:
            for _ in range(3):
                given = proofs(key)
                assert await settled(given, inspector) == len(given)
                assert [each._found for each in given] == RIGHT
                assert [each.held() for each in given] == RIGHT

    asyncio.run(run())


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_hangs_leaves_the_verdict_to_the_asker(blow: signal.Signals) -> None:
    async def run() -> None:
        async with working() as inspector:
            os.kill(inspector.process or 0, blow)
            given = proofs(Es256())
            await settled(given, inspector)
            assert [each.held() for each in given] == RIGHT
            assert inspector.process is None
            again = proofs(Es256())
            assert await settled(again, inspector) == 0
            assert [each.held() for each in again] == RIGHT

    asyncio.run(run())


def test_closing_ends_the_process_and_settles_what_is_left() -> None:
    async def run() -> None:
        async with working() as inspector:
            process = inspector.process
            told = asyncio.Event()
            (given,) = proofs(Es256(), 1)
            assert given.handed(inspector).pending(told.set)
            inspector.close()
            await told.wait()
            assert not given.held()
            with pytest.raises(ProcessLookupError):
                os.kill(process or 0, 0)
            assert not inspector.take(given)

    asyncio.run(run())


def test_on_one_core_nothing_is_started() -> None:
    async def run() -> None:
        inspector = Inspector(wanted=False)
        given = proofs(Es256())
        assert await settled(given, inspector) == 0
        assert [each.held() for each in given] == RIGHT
        assert inspector.process is None

    asyncio.run(run())


def test_a_message_is_read_as_it_was_framed() -> None:
    given = proofs(Es256())
    assert list(Verifier().verdicts(b"".join(each.wire for each in given))) == [int(each) for each in RIGHT]
