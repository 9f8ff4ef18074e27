"""The suite every connector passes, as plain functions: for the contract tests and for an agency's own.

What `connectors.base` checks when the class is made is not repeated: here files in its own words are read.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from joserfc.jwk import ECKey

from connectors.base import Connector, Mapping
from connectors.registry import SIMULATORS
from connectors.transports.files import CSV, read_records
from connectors.transports.rest import Credentials, GatewayClient
from schemas.codes.tables import table
from schemas.identifiers import IdentifierError
from schemas.records import DATASETS, Dataset


def findings(connector: type[Connector]) -> list[str]:
    """Everything that is wrong with a connector, in sentences; empty when it conforms."""
    found = [finding for mapping in connector.provides for finding in mapping_findings(mapping)]
    return [*found, *simulator_findings(connector)]


def mapping_findings(mapping: Mapping) -> Iterator[str]:
    """What is wrong with one mapping: headings, the template's sample row, code tables."""
    dataset = DATASETS[mapping.dataset]
    yield from _headings(mapping, dataset)
    yield from _sample_row(
        mapping, dataset, lambda name: dataset.by_name[name].header, "the template's headings"
    )
    yield from _sample_row(
        mapping, dataset, lambda name: _own_heading(mapping, name), "the agency's headings"
    )
    yield from _codes(mapping, dataset)


def simulator_findings(connector: type[Connector]) -> Iterator[str]:
    """Whether the simulator starts with the agency's roles and only then, and answers for its health."""
    build = SIMULATORS.get(connector.agency)
    if build is None:
        yield f"{connector.agency}: there is no simulator.py"
        return
    clients = {role: offline_client(connector.agency, role) for role in connector.roles}
    with tempfile.TemporaryDirectory() as folder:
        app = build(Path(folder), clients)
        if "/health" not in {getattr(route, "path", None) for route in app.routes}:
            yield f"{connector.agency}: the simulator has no GET /health"
        for role in connector.roles:
            others = {name: client for name, client in clients.items() if name != role}
            if _builds(lambda others=others: build(Path(folder), others)):  # type: ignore[misc]
                yield f"{connector.agency}: the simulator starts without a client for its role {role!r}"


def offline_client(agency: str, role: str) -> GatewayClient:
    """A client with a key of its own and no network behind it: every call is answered 503."""
    key = ECKey.generate_key("P-256", {"kid": "conformance"})
    credentials = Credentials(f"conformance-{agency}", agency, role, "530423", key)
    silent = httpx.MockTransport(lambda _: httpx.Response(503))
    return GatewayClient("https://gateway.invalid", credentials, silent)


def _headings(mapping: Mapping, dataset: Dataset) -> Iterator[str]:
    for column in dataset.columns:
        for heading in (*column.headings, *mapping.headings.get(column.name, ())):
            for seen in (heading, f" {heading}\ufeff", f"{heading}*", "\u3000".join(heading)):
                if mapping.field_of(seen) != column.name:
                    yield f"{dataset.id}: heading {seen!r} does not lead to {column.name}"


def _sample_row(
    mapping: Mapping, dataset: Dataset, heading: Callable[[str], str], whose: str
) -> Iterator[str]:
    """The template's sample, written as a file under the given headings, must come back as it was."""
    header = ",".join(f'"{heading(column.name)}"' for column in dataset.columns)
    row = ",".join(f'"{column.sample}"' for column in dataset.columns)
    content = f"标题\n{header}\n{row}\n合计\n".encode("gb18030")
    try:
        records = list(read_records(content, CSV, mapping))
    except ValueError as error:
        yield f"{dataset.id}: {error} under {whose}"
        return
    if records != [{column.name: column.sample for column in dataset.columns}]:
        yield f"{dataset.id}: the sample row does not come back under {whose}"


def _codes(mapping: Mapping, dataset: Dataset) -> Iterator[str]:
    for column in dataset.columns:
        if column.codes is None:
            continue
        known, own = table(column.codes), mapping.codes.get(column.name, {})
        for text in (column.sample, *known.labels_zh(), *own):
            if not _reads(mapping, column.name, text):
                yield f"{dataset.id}.{column.name}: {text!r} is not understood"
        # An agency that has its own codes has one for each: else a code added to the schema goes unnoticed.
        for code in sorted(set(known.codes()) - set(own.values())) if own else ():
            yield f"{dataset.id}.{column.name}: the agency's own codes have none for {code!r}"


def _own_heading(mapping: Mapping, name: str) -> str:
    own = mapping.headings.get(name)
    return own[0] if own else DATASETS[mapping.dataset].by_name[name].header


def _reads(mapping: Mapping, name: str, text: str) -> bool:
    try:
        mapping.code_of(name, text)
    except IdentifierError:
        return False
    return True


def _builds(build: Callable[[], object]) -> bool:
    try:
        build()
    except ValueError:
        return False
    return True
