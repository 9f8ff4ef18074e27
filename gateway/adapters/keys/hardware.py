"""A hardware module (PKCS#11) as the lock of a ring: a key that never leaves it wraps the key of the envelope.

The ring file stays in the data folder and is useless without the token. A PIN the token refused is not tried again by
this process, since a token locks itself after a few wrong ones.
"""

import base64
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import NoSuchKey, NoSuchToken, PinIncorrect, PinLocked, PKCS11Error

from gateway.adapters.keys.envelope import Parameters
from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.secret import Secret

LABEL = "huxue-keyring"
_NONCE = 12
_CONTEXT = b"huxue/keyring"


class TokenLock:
    """An AES-256 key, sensitive and not extractable, in one token."""

    kind = "pkcs11"

    def __init__(self, module: str, token: str, pin: Callable[[], Secret]) -> None:
        self._module, self._token, self._pin = module, token, pin
        self._refused = False

    def __repr__(self) -> str:
        return "TokenLock(…)"

    def __reduce__(self) -> str:
        raise TypeError("a lock is not pickled")

    def make(self, size: int) -> tuple[Parameters, bytes]:
        """A fresh key for the envelope, wrapped by the token's, which is made when there is none."""
        key, nonce = os.urandom(size), os.urandom(_NONCE)
        with self._session(writes=True) as session:
            wrapped = _wrapping_key(session, create=True).encrypt(key, **_gcm(nonce))
        written = {"nonce": nonce, "wrapped": wrapped}
        return {name: base64.b64encode(raw).decode() for name, raw in written.items()}, key

    def key(self, parameters: Parameters, size: int) -> bytes:
        """The envelope's key, unwrapped by the token."""
        nonce, wrapped = (base64.b64decode(parameters[name], validate=True) for name in ("nonce", "wrapped"))
        if len(nonce) != _NONCE or len(wrapped) > 64:
            raise ValueError("not a wrapped key")
        with self._session() as session:
            found = bytes(_wrapping_key(session, create=False).decrypt(wrapped, **_gcm(nonce)))
        if len(found) != size:
            raise KeyRingError(self.refusal())
        return found

    def refusal(self) -> str:
        """The token's key is another one, or the file was changed."""
        return f"the key in token {self._token} does not open the key ring (or the file was changed)"

    @contextlib.contextmanager
    def _session(self, writes: bool = False) -> Iterator[Any]:
        """A session of the token, closed afterwards; every error of the module as a KeyRingError without the PIN."""
        if self._refused:
            raise KeyRingError(self._wrong_pin())
        try:
            token = self._find()
            with token.open(user_pin=self._pin().reveal().decode(), rw=writes) as session:
                yield session
        except (PinIncorrect, PinLocked):
            self._refused = True
            raise KeyRingError(self._wrong_pin()) from None
        except NoSuchToken:
            raise KeyRingError(
                f"no token {self._token} in {self._module}: plug it in, or set HUXUE_PKCS11_TOKEN to its label"
            ) from None
        except NoSuchKey:
            raise KeyRingError(
                f"token {self._token} holds no key {LABEL}: it is another token, or run `huxue keys create`"
            ) from None
        except UnicodeDecodeError:
            raise KeyRingError(self._wrong_pin()) from None
        except PKCS11Error as error:
            raise KeyRingError(
                f"the hardware module {self._module} does not work ({type(error).__name__}): check that it is"
                " there, and HUXUE_PKCS11_MODULE"
            ) from None

    def _wrong_pin(self) -> str:
        return f"token {self._token} refused the PIN: correct HUXUE_PKCS11_PIN_FILE, then start again"

    def _find(self) -> Any:
        """The token; a module that lost its tokens is started anew once."""
        library = pkcs11.lib(self._module)
        with contextlib.suppress(PKCS11Error):
            token = library.get_token(token_label=self._token)
            token.open().close()
            return token
        with contextlib.suppress(PKCS11Error):
            library.finalize()
        library.initialize()
        return library.get_token(token_label=self._token)


def _wrapping_key(session: Any, create: bool) -> Any:
    try:
        return session.get_key(label=LABEL, object_class=ObjectClass.SECRET_KEY)
    except NoSuchKey:
        if not create:
            raise
    template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    return session.generate_key(KeyType.AES, 256, label=LABEL, store=True, template=template)


def _gcm(nonce: bytes) -> dict[str, Any]:
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, _CONTEXT, 128)}
