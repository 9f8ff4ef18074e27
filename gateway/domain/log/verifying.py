"""Checking a whole log offline: every entry, tile and head against each other, and the heads against their signatures.

Whoever keeps the store can change any row of it; what cannot be done without the key is to sign another head, and
what cannot be done even with the key is to take back a head that somebody else has kept (`against`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from gateway.domain.audit import leaf_hash, members_commitment, subject_commitment
from gateway.domain.log.checkpoint import Checkpoint, Head, cosigned_at, parse_checkpoint, signed_by
from gateway.domain.log.findings import Finding
from gateway.domain.log.merkle import HASH_BYTES, Frontier, root
from gateway.domain.log.note import MalformedNote, SignedNote, Verify, Vkey, parse_note
from gateway.domain.log.tiles import (
    HEIGHT,
    TILE_BYTES,
    WIDTH,
    MissingTile,
    hashes_of,
    perfect_from,
    tile_root,
    width_at,
)
from gateway.domain.model import SubjectId

_TICK = 4096


class Row(NamedTuple):
    """An entry as it is kept. `body` is None where it is not shown; `linked`: subject and members stand beside it."""

    seq: int
    reference: str
    subject: bytes | None
    members: bytes | None
    body: bytes | None
    leaf: bytes
    linked: bool


class LogSource(Protocol):
    """A log to be checked: the store itself, or an export of it."""

    def heads(self) -> Sequence[Head]:
        """Every head, smallest first."""
        ...

    def cosignatures(self, size: int) -> Sequence[str]:
        """Lines under that head."""
        ...

    def tile(self, level: int, index: int) -> bytes:
        """Its hashes; empty when there is none."""
        ...

    def tiles(self, level: int) -> int:
        """How many tiles of that level are there, the highest index plus one."""
        ...

    def rows(self, after: int) -> Iterator[Row]:
        """Entries after a row, in their order."""
        ...

    def kept(self, leaf: bytes) -> bool:
        """Whether some entry has that hash beside it."""
        ...

    def set_holds(self, digest: bytes) -> bool:
        """Whether the set of children is there and is what its digest says."""
        ...

    def stray_index(self) -> int | None:
        """The first row that the index by child misses or has too much; None when it is whole."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """By what a log is judged. `since` and `against` are notes kept from earlier; `witnesses` keys to be found."""

    keys: Sequence[Vkey]
    verify: Verify
    against: Sequence[SignedNote] = ()
    since: SignedNote | None = None
    witnesses: Sequence[Vkey] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it: how many entries were looked at, how many of them not yet sealed, the first thing wrong.

    `keys` signed the heads that were looked at, the oldest first.
    """

    size: int
    looked: int
    unsealed: int
    heads: int
    finding: Finding | None
    keys: Sequence[Vkey] = ()


class _Wrong(Exception):
    """Carries the first finding out."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.kind)
        self.finding = finding


def check(
    source: LogSource, trust: Trust, tick: Callable[[int, int], None] = lambda _done, _of: None
) -> Verdict:
    """The verdict; `tick(done, of)` is called every few thousand entries."""
    return _Check(source, trust, tick).run()


class _Check:
    """One walk over a log."""

    def __init__(self, source: LogSource, trust: Trust, tick: Callable[[int, int], None]) -> None:
        self._source, self._trust, self._tick = source, trust, tick
        self._perfect = perfect_from(source.tile)
        self._all: Sequence[Head] = ()
        self._heads: Sequence[Head] = ()
        self._size = self._start = self._after = 0
        self._looked = self._unsealed = 0

    def run(self) -> Verdict:
        """Heads, tree, entries, then what others have kept."""
        finding = None
        try:
            self._load()
            self._since()
            self._check_heads()
            self._tree()
            self._entries()
            self._beside()
            for note in self._trust.against:
                self._against(note)
        except _Wrong as wrong:
            finding = wrong.finding
        except MissingTile as missing:
            finding = Finding("tile-changed", where=f"tile {missing.level}/{missing.index}")
        except (ValueError, KeyError, TypeError, AttributeError):
            finding = Finding("unreadable", index=self._start + self._looked)
        known = {key.text: key for key in self._trust.keys}
        keys = [known[text] for text in dict.fromkeys(head.vkey for head in self._heads) if text in known]
        return Verdict(self._size, self._looked, self._unsealed, len(self._heads), finding, keys)

    def _load(self) -> None:
        self._all = self._heads = list(self._source.heads())
        self._size = self._all[-1].size if self._all else 0

    def _since(self) -> None:
        note = self._trust.since
        if note is None:
            return
        checkpoint = self._against(note)
        for place, head in enumerate(self._all):
            if head.size == checkpoint.size:
                self._start, self._after, self._heads = head.size, head.last_seq, self._all[place + 1 :]
                return
        raise _Wrong(Finding("head-missing", where=f"size {checkpoint.size}"))

    def _against(self, note: SignedNote) -> Checkpoint:
        try:
            checkpoint = parse_checkpoint(note.text)
            trusted = signed_by(note, self._trust.keys, self._trust.verify)
        except MalformedNote:
            trusted = None
        if trusted is None or checkpoint.origin != trusted.name:
            raise _Wrong(Finding("against-signature"))
        if checkpoint.size > self._size:
            raise _Wrong(Finding("against-shorter", where=f"{checkpoint.size} > {self._size}"))
        if root(self._perfect, checkpoint.size) != checkpoint.root:
            raise _Wrong(Finding("against-differs", where=f"size {checkpoint.size}"))
        return checkpoint

    def _check_heads(self) -> None:
        if not self._all and self._source.tiles(0):
            raise _Wrong(Finding("head-missing"))
        keys = {key.text: key for key in self._trust.keys}
        before = self._after
        for head in self._heads:
            if head.last_seq <= before:
                raise _Wrong(_head("head-changed", head))
            before = head.last_seq
            key = keys.get(head.vkey)
            if key is None:
                raise _Wrong(_head("head-key", head))
            self._head_holds(head, key)

    def _head_holds(self, head: Head, key: Vkey) -> None:
        try:
            note = parse_note(head.note)
            found = parse_checkpoint(note.text)
            if signed_by(note, [key], self._trust.verify) is None:
                raise _Wrong(_head("head-signature", head))
        except MalformedNote:
            raise _Wrong(_head("head-signature", head)) from None
        if (found.origin, found.size, found.root) != (key.name, head.size, head.root):
            raise _Wrong(_head("head-changed", head))
        for line in self._source.cosignatures(head.size):
            self._cosigned(head, note.text, line)

    def _cosigned(self, head: Head, text: str, line: str) -> None:
        for witness in self._trust.witnesses:
            try:
                note = parse_note(f"{text}\n{line}")
            except MalformedNote:
                raise _Wrong(_head("witness", head)) from None
            if note.of(witness) and cosigned_at(note, witness, self._trust.verify) is None:
                raise _Wrong(_head("witness", head))

    def _tree(self) -> None:
        """The tiles against the signed roots; then the tiles of the levels above against those below."""
        edge = Frontier.of(self._perfect, self._start)
        before = self._start
        for head in self._heads:
            self._extend(edge, head.size)
            if edge.size != head.size or edge.root() != head.root:
                self._blame(before, head)
            before = head.size
        self._levels()

    def _extend(self, edge: Frontier, size: int) -> None:
        """Leaf by leaf to the next full tile, then tile by tile, then leaf by leaf again."""
        while edge.size < size:
            number, offset = divmod(edge.size, WIDTH)
            tile = self._source.tile(0, number)
            if not offset and size - edge.size >= WIDTH and len(tile) == TILE_BYTES:
                edge.append(tile_root(tile), HEIGHT)
                continue
            fresh = hashes_of(tile[:TILE_BYTES])[offset : offset + size - edge.size]
            for leaf in fresh:
                edge.append(leaf)
            if not fresh:
                return

    def _leaves(self, start: int, end: int) -> Iterator[bytes]:
        """Leaf hashes as the tiles have them; fewer when a tile is too short."""
        while start < end:
            number, offset = divmod(start, WIDTH)
            found = hashes_of(self._source.tile(0, number)[:TILE_BYTES])[offset : offset + end - start]
            if not found:
                return
            yield from found
            start += len(found)

    def _levels(self) -> None:
        level, index = 0, self._start >> HEIGHT
        while width_at(level, 0, self._size):
            last = (self._size >> HEIGHT * level) >> HEIGHT
            for number in range(index, last + 1):
                self._tile(level, number)
            if self._source.tiles(level) > last + (1 if width_at(level, last, self._size) else 0):
                raise _Wrong(Finding("head-missing", where=f"tile {level}/{last + 1}"))
            level, index = level + 1, index >> HEIGHT

    def _tile(self, level: int, number: int) -> None:
        width, tile = width_at(level, number, self._size), self._source.tile(level, number)
        if len(tile) > width * HASH_BYTES and number == (self._size >> HEIGHT * level) >> HEIGHT:
            raise _Wrong(Finding("head-missing", where=f"tile {level}/{number}"))
        if len(tile) != width * HASH_BYTES:
            raise MissingTile(level, number)
        if width == WIDTH:
            above, offset = divmod(number, WIDTH)
            told = self._source.tile(level + 1, above)[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
            if told != tile_root(tile):
                raise MissingTile(level + 1, above)

    def _blame(self, before: int, head: Head) -> None:
        """The tiles do not give a root that was signed: is it a tile, an entry, or both together?"""
        edge = Frontier.of(self._perfect, self._start)
        leaves, tile, first = self._leaves(self._start, head.size), None, None
        for row in self._source.rows(self._after):
            if edge.size == head.size:
                break
            if tile is None and row.leaf != next(leaves, None):
                tile = edge.size
            if edge.size == before:
                first = row
            edge.append(row.leaf)
        if tile is not None and edge.size == head.size and edge.root() == head.root:
            raise MissingTile(0, tile // WIDTH)
        if tile is not None and tile < before:
            self._entries()
        place = before if tile is None else tile
        seq, reference = (first.seq, first.reference) if first and place == before else (None, "")
        raise _Wrong(Finding("history-changed", place, seq, reference, f"size {head.size}"))

    def _entries(self) -> None:
        """Every row against its leaf in the tiles, which are those of the signed roots."""
        leaves = self._leaves(self._start, self._size)
        bounds = iter(self._heads)
        head, index, previous = next(bounds, None), self._start, self._after
        base = (index, previous)
        for row in self._source.rows(self._after):
            if head is None:
                self._row(row)
                self._unsealed += 1
            else:
                self._place(row, index, next(leaves, b""), head, base)
                index += 1
                if index == head.size:
                    base, head = (head.size, head.last_seq), next(bounds, None)
            self._looked += 1
            if self._looked % _TICK == 0:
                self._tick(self._looked, self._size - self._start)
        if head is not None:
            raise _Wrong(Finding("entry-removed", index))

    def _place(self, row: Row, index: int, leaf: bytes, head: Head, base: tuple[int, int]) -> None:
        """One sealed row: is it the one that belongs here, and is it whole?"""
        told = leaf_hash(row.body) if row.body is not None else row.leaf
        if told != leaf or row.leaf != leaf:
            raise _Wrong(self._misplaced(row, told, index, leaf, head))
        dense = head.last_seq - base[1] == head.size - base[0]
        last = index + 1 == head.size
        if (last and row.seq != head.last_seq) or (dense and row.seq - base[1] != index + 1 - base[0]):
            raise _Wrong(_row("entry-renumbered", row, index))
        self._linked(row, index)

    def _misplaced(self, row: Row, told: bytes, index: int, leaf: bytes, head: Head) -> Finding:
        if told == leaf:
            return _row("leaf-changed", row, index)
        if row.leaf == leaf:
            return _row("body-changed", row, index)
        place, kept = self._find(told), self._source.kept(leaf)
        if place is not None and place < index:
            return _row("entry-repeated", row, index)
        if place is not None:
            return _row("entry-moved", row, index) if kept else Finding("entry-removed", index)
        if kept:
            return _row("entry-inserted", row, index)
        return (
            Finding("entry-removed", index) if row.seq > head.last_seq else _row("entry-changed", row, index)
        )

    def _find(self, leaf: bytes) -> int | None:
        """Where the tree has that leaf."""
        for index, found in enumerate(self._leaves(0, self._size)):
            if found == leaf:
                return index
        return None

    def _row(self, row: Row) -> None:
        if row.body is not None and leaf_hash(row.body) != row.leaf:
            raise _Wrong(_row("body-changed", row, None))
        self._linked(row, None)

    def _linked(self, row: Row, index: int | None) -> None:
        """What stands beside the content is what the content commits to."""
        if row.body is None:
            return
        body = orjson.loads(row.body)
        reference = body["reference"]
        if reference != row.reference:
            raise _Wrong(_row("reference-changed", row, index))
        if not row.linked:
            return
        if body["subject"] != _subject(body, row):
            raise _Wrong(_row("subject-changed", row, index))
        told = members_commitment(reference, row.members) if row.members is not None else None
        if body.get("members") != told:
            raise _Wrong(_row("members-changed", row, index))
        if row.members is not None and not self._source.set_holds(row.members):
            raise _Wrong(_row("set-changed", row, index))

    def _beside(self) -> None:
        stray = self._source.stray_index()
        if stray is not None:
            raise _Wrong(Finding("index-changed", seq=stray))


def _subject(body: dict[str, object], row: Row) -> str | None:
    """Form 1 (release 0.1) named the id itself."""
    if row.subject is None:
        return None
    return subject_commitment(row.reference, SubjectId(row.subject)) if "v" in body else row.subject.hex()


def _row(kind: str, row: Row, index: int | None) -> Finding:
    return Finding(kind, index, row.seq, row.reference)


def _head(kind: str, head: Head) -> Finding:
    return Finding(kind, where=f"size {head.size}")
