"""Numbers of legal instruments: however issues of offices, years and kinds are interleaved, and whichever of them are
undone, the kept ones of each series are 1, 2, 3 … without a gap or a repeat; and written numbers never collide.
"""

import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.schema import CreateTable

from gateway.adapters.db.instruments import SqliteInstrumentDesk
from gateway.adapters.db.metadata import METADATA
from gateway.adapters.documents.templates import load_templates
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.errors import Malformed
from gateway.domain.instruments import GAP, Kind, checked, numbered, worded
from gateway.domain.ports import KeyRing
from gateway.settings import POLICIES

TEMPLATES = load_templates(POLICIES, load_rulebook(POLICIES).duties.rules)
OFFICES = ("530423", "530423101", "53042310")
ISSUE = st.tuples(
    st.sampled_from(OFFICES), st.integers(2025, 2027), st.sampled_from(Kind), st.integers(1, 3), st.booleans()
)
_TABLE = str(CreateTable(METADATA.tables["instrument_counter"]).compile(dialect=dialect()))


@given(st.lists(ISSUE, max_size=60))
def test_kept_numbers_have_no_gap_and_no_repeat(issues: list[tuple[str, int, Kind, int, bool]]) -> None:
    keys: KeyRing = None  # type: ignore[assignment] # numbers are not sealed
    kept: dict[tuple[str, int, Kind], list[int]] = defaultdict(list)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(_TABLE)
        for office, year, kind, at_once, commits in issues:
            connection.execute("BEGIN IMMEDIATE")
            desk = SqliteInstrumentDesk(connection, keys)
            taken = [desk.next_serial(office, year, kind) for _ in range(at_once)]
            connection.execute("COMMIT" if commits else "ROLLBACK")
            kept[office, year, kind] += taken if commits else []
    assert all(found == list(range(1, len(found) + 1)) for found in kept.values())
    written = [
        numbered(TEMPLATES[kind], office, year, serial)
        for (office, year, kind), found in kept.items()
        for serial in found
    ]
    assert len(set(written)) == len(written)


@given(st.sampled_from(Kind), st.data())
def test_whatever_is_put_in_stays_text(kind: Kind, data: st.DataObject) -> None:
    """A value is refused, or stands in the text as it was given, and the text around it is the template's."""
    template = TEMPLATES[kind]
    given = {
        name: "2026-09-01" if template.slots[name].is_date else data.draw(st.text(max_size=30), label=name)
        for name in template.asked_of_officer()
    }
    try:
        values = checked(template, given)
    except Malformed:
        return
    rest = dict.fromkeys(template.slots.keys() - values.keys(), "甲")
    document = worded(template, values | rest, ("1", "局", date(2026, 11, 20)))
    for text, shown in zip(template.texts(), (document.addressee, *document.paragraphs), strict=True):
        pieces = GAP.split(text)
        expected = [(values | rest)[piece] if index % 2 else piece for index, piece in enumerate(pieces)]
        assert shown == "".join(expected)
        assert "\n" not in shown
