"""Signatures over tree heads: round trips in both suites, and nothing a stranger sends does more than fail."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.keys.heads import HeadSigner, generate_head_key, verify_head

algorithms = st.sampled_from(["ed25519", "sm2"])
anything = st.binary(max_size=200)
shaped = anything | st.binary(min_size=64, max_size=64) | st.binary(min_size=65, max_size=65)
points = shaped | st.binary(min_size=64, max_size=64).map(lambda raw: b"\x04" + raw)


@cache
def signer(algorithm: str) -> HeadSigner:
    return HeadSigner(algorithm, *generate_head_key(algorithm))  # type: ignore[arg-type]


@settings(max_examples=60)
@given(algorithms, anything, anything)
def test_what_is_signed_verifies_and_nothing_else(algorithm: str, message: bytes, other: bytes) -> None:
    key = signer(algorithm)
    signature = key.sign(message)
    assert len(signature) == 64
    assert len(key.public) == {"ed25519": 32, "sm2": 65}[algorithm]
    assert verify_head(algorithm, key.public, message, signature)
    assert verify_head(algorithm, key.public, other, signature) is (other == message)


@settings(max_examples=400)
@given(algorithms | st.text(max_size=8), points, anything, shaped)
def test_a_strangers_bytes_are_false_and_raise_nothing(
    algorithm: str, public: bytes, message: bytes, signature: bytes
) -> None:
    assert verify_head(algorithm, public, message, signature) is False


@settings(max_examples=300)
@given(algorithms, anything, shaped)
def test_a_strangers_signature_under_a_real_key_is_false(
    algorithm: str, message: bytes, signature: bytes
) -> None:
    assert verify_head(algorithm, signer(algorithm).public, message, signature) is False


@given(algorithms, st.integers(0, 511), anything)
def test_any_changed_bit_is_noticed(algorithm: str, bit: int, message: bytes) -> None:
    key = signer(algorithm)
    signature = int.from_bytes(key.sign(message), "big") ^ (1 << bit)
    assert not verify_head(algorithm, key.public, message, signature.to_bytes(64, "big"))
