"""Several worker processes: each logs as the first does, and a token or revocation counts in all of them."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from connectors.transports.rest import client_assertion
from connectors.transports.tokens import token_form
from tests.harness import TestGateway, process


def test_workers_log_json_and_know_each_others_tokens(tmp_path: Path) -> None:
    made = TestGateway(tmp_path / "data")
    credentials = made.credentials("education/dropout_lead")
    made.call.close()
    made.parts.store.close()
    with process(tmp_path / "data", "--workers", "2") as (server, url):
        _wait_for_both(tmp_path)
        assertion = client_assertion(credentials, f"{url}/oauth2/token", datetime.now(UTC))
        answers = []
        token = httpx.post(f"{url}/oauth2/token", data=token_form(assertion), trust_env=False).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        for _ in range(12):
            answers.append(httpx.get(f"{url}/v1/leads", headers=headers, trust_env=False).status_code)
            replay = httpx.post(f"{url}/oauth2/token", data=token_form(assertion), trust_env=False)
            answers.append(replay.status_code)
        httpx.get(f"{url}/v1/leads?region=x", headers=headers, trust_env=False)
        server.terminate()  # the parent takes its workers along
        server.wait(60)
    assert set(answers[::2]) == {200}
    assert set(answers[1::2]) == {400}
    assert "problem" in _events(tmp_path)


def _events(folder: Path) -> list[str]:
    (log,) = folder.glob("serve-*.log")
    return [json.loads(line)["event"] for line in log.read_text().splitlines() if line.endswith("}")]


def _wait_for_both(folder: Path) -> None:
    deadline = time.monotonic() + 90
    while _events(folder).count("started") < 2:
        assert time.monotonic() < deadline, "the second worker did not start"
        time.sleep(0.05)
