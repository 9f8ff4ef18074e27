"""Witnesses over HTTP, and the files in which keys of logs are written down."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from gateway.domain.log.note import MalformedNote, Vkey, parse_vkey
from gateway.domain.log.ports import Reply

_SECONDS = 10.0
_ANSWER_LIMIT = 65_536


class HttpWitness:
    """`POST …/add-checkpoint` at a witness."""

    def __init__(self, url: str, key: Vkey) -> None:
        self._url, self.key = url.rstrip("/") + "/add-checkpoint", key

    async def post(self, body: str) -> Reply:
        """Raises ConnectionError when it cannot be reached or answers nonsense."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        try:
            async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
                answer = await client.post(self._url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise ConnectionError(type(error).__name__) from None
        if len(answer.content) > _ANSWER_LIMIT:
            raise ConnectionError("too long an answer")
        return Reply(answer.status_code, answer.text)


def read_witnesses(text: str) -> list[HttpWitness]:
    """``URL VKEY, URL VKEY``; MalformedNote when it is not so."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        url, _, vkey = part.partition(" ")
        key = parse_vkey(vkey)
        if not url.startswith(("http://", "https://")) or not key.cosigns:
            raise MalformedNote("not an address and a witness's key")
        found.append(HttpWitness(url, key))
    return found


def read_keys(path: Path) -> list[Vkey]:
    """A file of keys, one a line; `#` begins a remark."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [parse_vkey(line) for line in lines if line and not line.startswith("#")]


def by_origin(keys: Sequence[Vkey]) -> Mapping[str, Sequence[Vkey]]:
    """Keys of logs under the log's name; a log whose key was turned has several."""
    return {key.name: [each for each in keys if each.name == key.name] for key in keys}


def publish_key(path: Path, key: Vkey) -> None:
    """Add the key to the public file beside the store, unless it stands there; older ones stay."""
    known = read_keys(path) if path.exists() else []
    if key in known:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key.text + "\n")
