"""The process that verifies signatures of proofs: `python -m gateway.http.verifier`, started by `gateway.http.inspector`.

It inherits one socket as its standard input. A message holds proofs one after the other, each framed by `pack`; the
answer to it is one byte for each. It knows no secret, and ends when the other end of the socket is closed, that is
when its worker closes it or dies in whatever way.
"""

import os
import signal
import socket
import struct
import sys

from gateway.http.jwks import KEY_BYTES, Verify, from_wire

MESSAGE_LIMIT = 131_072
RIGHT, WRONG = 1, 0
_HEAD = struct.Struct(f"!{KEY_BYTES}sHH")
_KEYS_KEPT = 4096


def pack(key: bytes, signature: bytes, signed: bytes) -> bytes:
    """One proof as it goes over the socket: key, two lengths, signature, signed bytes."""
    return _HEAD.pack(key, len(signature), len(signed)) + signature + signed


class Verifier:
    """Verdicts on messages; keys are remembered."""

    def __init__(self) -> None:
        self._keys: dict[bytes, Verify] = {}

    def verdicts(self, message: bytes) -> bytes:
        """One byte for each proof in the message, in their order."""
        found, place = bytearray(), 0
        while place < len(message):
            key, signature, signed = _HEAD.unpack_from(message, place)
            middle = place + _HEAD.size + signature
            right = self._key(key)(message[middle - signature : middle], message[middle : middle + signed])
            found.append(RIGHT if right else WRONG)
            place = middle + signed
        return bytes(found)

    def _key(self, wire: bytes) -> Verify:
        found = self._keys.get(wire)
        if found is None:
            if len(self._keys) >= _KEYS_KEPT:
                self._keys.clear()
            found = self._keys[wire] = from_wire(wire)
        return found


def main() -> None:
    """Answer until there is nobody to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    verifier = Verifier()
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line:
        line.send(b"\x01")  # ready
        while message := line.recv(MESSAGE_LIMIT):
            line.send(verifier.verdicts(message))


if __name__ == "__main__":
    main()
