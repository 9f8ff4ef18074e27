"""SM4 in Galois/Counter Mode (GB/T 32907, RFC 8998), with the face of the library's own AEAD classes."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_TAG = 16
_KEY = 16


class Sm4Gcm:
    """128-bit key, 12-byte nonce, 16-byte tag behind the ciphertext. `repr` and pickling show nothing."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY:
            raise ValueError("an SM4 key has 16 bytes")
        self._algorithm = algorithms.SM4(key)

    def __repr__(self) -> str:
        return "Sm4Gcm(…)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
        """Ciphertext and tag."""
        context = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        context.authenticate_additional_data(associated or b"")
        sealed = context.update(data) + context.finalize()
        return sealed + context.tag

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
        """The plain bytes; InvalidTag when anything was changed, before any of them is handed out."""
        if len(data) < _TAG:
            raise InvalidTag
        context = Cipher(self._algorithm, modes.GCM(nonce, data[-_TAG:])).decryptor()
        context.authenticate_additional_data(associated or b"")
        return context.update(data[:-_TAG]) + context.finalize()
