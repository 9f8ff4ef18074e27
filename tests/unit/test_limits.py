"""`policies/limits.yaml` as it is read, and the counting of requests."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.adapters.limits import load_limits
from gateway.adapters.rulebook import RulebookError
from gateway.domain.limits import LimitBook, Quota, Rates, ResolutionQuota, TokenRates, sighting_of_id
from gateway.domain.principal import Principal
from gateway.http.rates import RateBook
from gateway.settings import POLICIES

ROLE = "human_resources/recruitment_checker"
ROLES = {ROLE, "market_regulation/licence_registrar"}
WHO = Principal("c-1", "human_resources", ROLE, "530423")


def body() -> dict[str, Any]:
    return {
        "rates": {"default": {"client": 10, "officer": 2}, "roles": {ROLE: {"officer": 5}}},
        "tokens": {"client": 3, "failures": 2},
        "children": {
            "default": {"person": 3, "client": 9, "neighbours_from": 4, "cohort": 5},
            "roles": {ROLE: {"person": 7}},
        },
        "resolutions": {"default": {"officer": 6, "client": 12}, "roles": {ROLE: {"officer": 8}}},
    }


def load(folder: Path, text: str) -> LimitBook:
    (folder / "limits.yaml").write_text(text, encoding="utf-8")
    return load_limits(folder, ROLES)


def test_the_countys_file_lets_an_ordinary_day_through() -> None:
    book = load_limits(POLICIES, {*ROLES, "gateway/counter_clerk"})
    assert book.quota_of(ROLE) == Quota(300, 1000, 20, 60)
    assert book.rates_of(ROLE) == Rates(60_000, 240)
    assert book.tokens == TokenRates(600, 60)
    assert book.resolutions_of("education/dropout_lead") == ResolutionQuota(20, 60)


def test_the_counter_has_a_limit_of_its_own() -> None:
    clerk = "gateway/counter_clerk"
    assert load_limits(POLICIES, {*ROLES, clerk}).quota_of(clerk) == Quota(60, 240, 20, 60)


def test_a_roles_row_says_only_what_differs(tmp_path: Path) -> None:
    book = load(tmp_path, yaml.safe_dump(body()))
    assert book.quota_of(ROLE) == Quota(7, 9, 4, 5)
    assert book.rates_of(ROLE) == Rates(10, 5)
    assert book.quota_of("market_regulation/licence_registrar") == Quota(3, 9, 4, 5)
    assert book.resolutions_of(ROLE) == ResolutionQuota(8, 12)
    assert book.resolutions_of("market_regulation/licence_registrar") == ResolutionQuota(6, 12)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tokens", "client"), 0),
        (("tokens", "client"), -1),
        (("tokens", "client"), True),
        (("tokens", "client"), "3"),
        (("tokens", "client"), 1.5),
        (("tokens", "client"), None),
        (("tokens", "other"), 3),
        (("rates", "default", "officer"), None),
        (("rates", "default"), {"client": 3}),
        (("rates", "other"), {}),
        (("children", "default", "cohort"), 0),
        (("children", "roles", "nobody/at_all"), {"person": 3}),
        (("children", "roles", ROLE), {"children": 3}),
        (("children", "roles", ROLE), {"person": 0}),
        (("resolutions",), None),
        (("resolutions", "default", "officer"), 0),
        (("resolutions", "roles", "nobody/at_all"), {"officer": 3}),
        (("resolutions", "roles", ROLE), {"person": 3}),
        (("more",), 1),
        (("rates",), None),
    ],
    ids=str,
)
def test_a_wrong_figure_stops_the_start(tmp_path: Path, path: tuple[str, ...], value: object) -> None:
    wrong = body()
    place = wrong
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(RulebookError, match=r"limits\.yaml"):
        load(tmp_path, yaml.safe_dump(wrong))


@pytest.mark.parametrize("text", ["", "[]", "3", "rates: {", "rates: !!python/object:os.system {}"])
def test_a_file_that_is_none_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(RulebookError, match=r"limits\.yaml"):
        load(tmp_path, text)


def test_without_the_file_there_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match=r"limits\.yaml"):
        load_limits(tmp_path, ROLES)


def test_neighbours_share_area_and_birth_date_a_cohort_area_and_month() -> None:
    sighting = sighting_of_id("530423201206308010")
    assert (sighting.neighbours, sighting.cohort) == ("53042320120630", "530423201206")


def book(client: int, officer: int = 100) -> RateBook:
    return RateBook(
        LimitBook(Rates(client, officer), Quota(1, 1, 2, 1), TokenRates(3, 2), ResolutionQuota(1, 1))
    )


@pytest.mark.parametrize("limit", [1, 2, 255, 256, 257, 1000, 5003])
def test_exactly_so_many_requests_pass_in_a_window(limit: int) -> None:
    rates = book(limit)
    verdicts = [rates.request(WHO) for _ in range(limit + 20)]
    assert [verdict is None for verdict in verdicts] == [True] * limit + [False] * 20
    assert [verdict.first for verdict in verdicts if verdict] == [True] + [False] * 19
    assert all(1 <= verdict.retry_after <= 60 for verdict in verdicts if verdict)


def test_clients_and_officers_are_apart() -> None:
    rates = book(5, officer=2)
    officer = Principal("c-1", "human_resources", ROLE, "530423", None, "a")
    other = Principal("c-2", "human_resources", ROLE, "530423")
    assert [rates.request(officer) is None for _ in range(3)] == [True, True, False]
    assert [rates.request(WHO) is None for _ in range(3)] == [True, True, False]
    assert rates.request(other) is None


def test_failures_bar_an_address_and_no_other() -> None:
    rates = book(5)
    assert rates.barred("10.0.0.1") is None
    for _ in range(2):
        rates.failed("10.0.0.1")
    assert rates.barred("10.0.0.1") is not None
    assert rates.barred("10.0.0.2") is None
