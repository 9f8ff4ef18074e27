"""`applicant-check` with token, policy, look-up and durable audit, against bare frameworks in the same run.

Once with a bearer token and once with DPoP: each request with a proof of its own, made beforehand by other processes.
Once more with keys of the suite gm, by turns with the others.
"""

import itertools
import json
import random
from pathlib import Path

from benchmarks.county import resident_ids, student_csv
from benchmarks.load import Load, request, run
from benchmarks.proofs import Holder
from benchmarks.server import Gateway, bare, gateway
from schemas.identifiers import resident_id_check

CHILDREN = 20_000
SECONDS = 6.0
CONNECTIONS = 32
ROUNDS = 3
FIRST_SECONDS = 3.0
"""Short enough that nobody is asked about twice."""
WARM_SECONDS = 7.0
"""Long enough that each client has asked about everybody: the guard counts a child once a day, a lead is opened once."""
ASK = "/v1/exchanges/applicant-check/ask"
CHILD = "gateway: a child, looked up, lead and duty"
BOUND = f"{CHILD}, DPoP"
FIRST = "gateway: a child, asked about for the first time: counted, lead, case and duties opened"
NATIONAL = f"{CHILD}, suite gm"
_ROLE = "human_resources/recruitment_checker"
_MOST_A_SECOND = 9_000
"""More proofs than the gateway can use up in that time: a proof counts once."""


def _asks(token: dict[str, str], ids: list[str]) -> list[bytes]:
    headers = {**token, "Content-Type": "application/json"}
    return [
        request(
            "POST",
            ASK,
            headers,
            json.dumps(
                {
                    "purpose": "child_labour_check",
                    "subject": {"resident_id": resident_id},
                    "employer_uscc": "91530423MA6K12345X",
                }
            ).encode(),
        )
        for resident_id in ids
    ]


def _adults(count: int) -> list[str]:
    firsts = [f"53042319{70 + n % 30:02d}0101{n // 30:03d}" for n in range(count)]
    return [first + resident_id_check(first) for first in firsts]


def measure(folder: Path) -> list[tuple[str, Load]]:
    """Each contender in turn, several rounds; the median round by rate of each is kept."""
    ids = resident_ids(CHILDREN)
    with (
        gateway(folder / "asks") as under_test,
        gateway(folder / "asks-gm", "gm") as national,
        bare("fastapi_app") as fastapi,
        bare("starlette_app") as star,
    ):
        under_test.upload(student_csv(ids))
        national.upload(student_csv(ids))
        contenders = _contenders(under_test, ids, fastapi, star)
        contenders[NATIONAL] = (national.port, _asks(national.token(_ROLE), ids))
        holder = Holder(under_test, under_test.credentials(_ROLE))
        first = run(*contenders[CHILD], CONNECTIONS, FIRST_SECONDS)
        for port, requests in contenders.values():
            run(port, requests, CONNECTIONS, WARM_SECONDS)
        _bound(holder, under_test, ids, WARM_SECONDS)
        rounds = {name: [] for name in (*contenders, BOUND)}  # type: dict[str, list[Load]]
        for _ in range(ROUNDS):
            for name, (port, requests) in contenders.items():
                rounds[name].append(run(port, requests, CONNECTIONS, SECONDS))
            rounds[BOUND].append(_bound(holder, under_test, ids, SECONDS))
        found = [
            (name, sorted(loads, key=lambda load: load.rate)[ROUNDS // 2]) for name, loads in rounds.items()
        ]
        found.append((FIRST, first))
        found.append(("gateway: a child, one connection", run(*contenders[CHILD], 1, SECONDS)))
    return found


def _bound(holder: Holder, under_test: Gateway, ids: list[str], seconds: float) -> Load:
    """One run with DPoP; the proofs are made now, because their nonce lives for minutes only."""
    token, proofs = holder.fresh(ASK, int(seconds * _MOST_A_SECOND))
    headers = {"Authorization": f"DPoP {token}"}
    pairs = zip(proofs, itertools.cycle(ids), strict=False)
    requests = [each for proof, who in pairs for each in _asks({**headers, "DPoP": proof}, [who])]
    return run(under_test.port, requests, CONNECTIONS, seconds)


def _contenders(
    under_test: Gateway, ids: list[str], fastapi: int, starlette: int
) -> dict[str, tuple[int, list[bytes]]]:
    token = under_test.token(_ROLE)
    random.Random(2).shuffle(ids)
    adults = _adults(900)
    mixed = [who for pair in zip(ids[:900], adults, strict=True) for who in pair]
    hello = [request("GET", "/hello", {})]
    body = json.dumps({"purpose": "x", "subject": {"resident_id": "x"}}).encode()
    ask = [request("POST", "/ask", {"Content-Type": "application/json"}, body)]
    return {
        "bare Starlette, GET": (starlette, hello),
        "bare FastAPI with response model, GET": (fastapi, hello),
        "bare FastAPI with response model, POST": (fastapi, ask),
        CHILD: (under_test.port, _asks(token, ids)),
        "gateway: child and adult by turns": (under_test.port, _asks(token, mixed)),
        "gateway: an adult, nothing looked up": (under_test.port, _asks(token, adults)),
    }
