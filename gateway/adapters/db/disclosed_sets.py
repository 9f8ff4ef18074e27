"""Sets of children told of, as they are kept: each once, under the digest of its ids one after the other.

A set is kept plain, or as pieces of plain ones. Pages of one list with ever other limits are ever other sets; so a list
is cut into blocks where its own ids say so, each block is kept once, and a page is kept as the pieces it is made of.
The borders hang on the ids alone: a list that changes a little has mostly the blocks it had. Whichever way a set is
kept, its digest, and so what the evidence commits to, is the same.
"""

import sqlite3
import struct
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from gateway.domain.audit import AuditEntry, members_digest

Row = tuple[bytes, bytes]
"""A digest, and what is kept under it."""

_WIDTH = 16
_MARK = b"\1"
"""Of a set in pieces: its length is odd, that of a plain one a multiple of 16."""
_PIECE = struct.Struct(">32sII")
"""A plain set's digest, and which of its children: from the first on, up to the last and not with it."""
_BORDER = 2
"""A child whose id begins with less begins a block: one in 128, so that a block has about 2 kB."""

INSERT = (
    "INSERT INTO disclosed_set (digest, members) SELECT ?1, ?2 WHERE NOT EXISTS"
    f" (SELECT 1 FROM disclosed_set WHERE digest = ?1 AND (length(members) % {_WIDTH} = 0 OR length(?2) % {_WIDTH} <> 0))"
    " ON CONFLICT (digest) DO UPDATE SET members = excluded.members"
)
"""Plain takes the place of pieces: what was a part of a block may come again as a block, and blocks are plain."""
_ONE = "SELECT CAST(members AS BLOB) FROM disclosed_set WHERE digest = ?"
_PLAIN = f"SELECT digest, CAST(members AS BLOB) FROM disclosed_set WHERE length(members) % {_WIDTH} = 0"
_PIECES = f"SELECT digest, CAST(members AS BLOB) FROM disclosed_set WHERE length(members) % {_WIDTH} <> 0"


def rows_for(entry: AuditEntry) -> list[Row]:
    """What is to be kept of an entry's set, the set itself last; nothing for an entry without one."""
    if not entry.members:
        return []
    digest, count = members_digest(entry.members), len(entry.members) // _WIDTH
    if entry.cut_from is None:
        return [(digest, entry.members)]
    blocks = list(_blocks(*entry.cut_from, count))
    pieces = _MARK + b"".join(_PIECE.pack(members_digest(block), *part) for block, *part in blocks)
    if (len(blocks) == 1 and blocks[0][0] == entry.members) or len(pieces) >= len(entry.members):
        return [(digest, entry.members)]
    return [*((members_digest(block), block) for block, *_ in blocks), (digest, pieces)]


def _blocks(whole: Sequence[bytes], first: int, count: int) -> Iterator[tuple[bytes, int, int]]:
    """The blocks of a list that `count` children from `first` on lie in, and which of each block's children they are."""
    start, last = first, first + count
    while start > 0 and not _begins(whole[start]):
        start -= 1
    while start < last:
        end = start + 1
        while end < len(whole) and not _begins(whole[end]):
            end += 1
        yield b"".join(whole[start:end]), max(first - start, 0), min(last, end) - start
        start = end


def _begins(child: bytes) -> bool:
    return child[0] < _BORDER


def members_of(connection: sqlite3.Connection, digest: bytes) -> bytes:
    """The children of a set, as their ids one after the other; what is not there is empty."""
    return assembled(digest, lambda each: kept_set(connection, each))


def kept_set(connection: sqlite3.Connection, digest: bytes) -> bytes:
    """What is kept under a digest, plain or in pieces; empty when nothing is."""
    row = connection.execute(_ONE, (digest,)).fetchone()
    return _bytes(row[0]) if row else b""


def assembled(digest: bytes, kept: Callable[[bytes], bytes]) -> bytes:
    """`members_of`, where `kept` gives what is kept under a digest."""
    content = kept(digest)
    if len(content) % _WIDTH == 0:
        return content
    return b"".join(
        _plain(kept(block))[first * _WIDTH : last * _WIDTH] for block, first, last in _pieces_in(content)
    )


def _plain(block: bytes) -> bytes:
    """A block as who looks for a child would find it: made longer by hand, it is none, and no set is whole with it."""
    return block if len(block) % _WIDTH == 0 else b""


def _pieces_in(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """What somebody wrote there by hand may be no pieces at all."""
    body = content[len(_MARK) :]
    return _PIECE.iter_unpack(body) if len(body) % _PIECE.size == 0 else iter(())


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def sets_with(connection: sqlite3.Connection, subjects: Collection[bytes]) -> dict[bytes, set[bytes]]:
    """The digest of every set with any of these children, and which of them are in it; every set is looked through once."""
    wanted, places = set(subjects), dict[bytes, dict[bytes, list[int]]]()
    for digest, members in connection.execute(_PLAIN):
        if here := _among(_bytes(members), wanted):
            places[digest] = here
    found = {digest: set(here) for digest, here in places.items()}
    for digest, content in connection.execute(_PIECES):
        for block, first, last in _pieces_in(_bytes(content)):
            for subject, at in places.get(block, {}).items():
                if any(first <= place < last for place in at):
                    found.setdefault(digest, set()).add(subject)
    return found


def _among(members: bytes, wanted: set[bytes]) -> dict[bytes, list[int]]:
    here: Collection[bytes] = wanted
    if len(wanted) > 1:
        here = wanted & {members[at : at + _WIDTH] for at in range(0, len(members), _WIDTH)}
    return {subject: at for subject in here if (at := places_in(members, subject))}


def places_in(members: bytes, subject: bytes) -> list[int]:
    """At which places of a set a child is: its 16 bytes at a multiple of 16, not astride two others."""
    halves = np.frombuffer(members, dtype=np.uint64, count=len(members) // _WIDTH * 2).reshape(-1, 2)
    first, second = np.frombuffer(subject, dtype=np.uint64, count=2)
    alike = np.flatnonzero(halves[:, 0] == first)
    return [int(at) for at in alike[halves[alike, 1] == second]]
