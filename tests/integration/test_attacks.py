"""What attackers tried: a client revoked while its upload is under way, tokens that are no tokens, a port that is taken."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.transports.tokens import token_form
from gateway.domain.base64url import b64
from tests.harness import TestGateway
from tests.people import csv_file, student


def test_an_upload_does_not_land_when_its_client_is_revoked_meanwhile(gateway: TestGateway) -> None:
    credentials = gateway.credentials("education/registrar")
    token, body = gateway.fetch_token(credentials), csv_file([student(61)])
    head = (
        "POST /v1/exchanges/student-register/uploads?purpose=student_registration HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port)) as caller:
        caller.sendall(head.encode() + body[:20])
        while not gateway.parts.context.auth._verified:  # the gateway has read the head
            continue
        gateway.revoke(credentials.client_id)
        answer = b""
        # revoked before its first look, the gateway answers at once: what is still unread resets the connection
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            caller.sendall(body[20:])
            answer = b"".join(iter(lambda: caller.recv(65536), b""))
    assert not answer or answer.startswith(b"HTTP/1.1 401 ")
    with gateway.database() as connection:
        rows = connection.execute("SELECT count(*) FROM student_register").fetchone()[0]
    connection.close()
    assert rows == 0


def _assertion(claims: bytes) -> str:
    parts = (b'{"alg":"ES256","typ":"JWT"}', claims, b"x" * 64)
    return ".".join(map(b64, parts))


@pytest.mark.parametrize(
    "claims",
    [b'{"sub":"\\ud800","iss":"\\ud800"}', b"[" * 2500, b'{"sub":[]}', b'{"sub":"nobody"}', b"null"],
    ids=["surrogate", "nest", "list", "nobody", "null"],
)
def test_an_assertion_that_is_none_is_a_bad_request(county: TestGateway, claims: bytes) -> None:
    answer = county.call.post("/oauth2/token", data=token_form(_assertion(claims)))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_client"})


def test_a_taken_port_is_said_in_one_line(county: TestGateway, tmp_path: Path) -> None:
    words = ["serve", "--data", str(tmp_path / "data"), "--profile", "demo", "--port", str(county.port)]
    command = [sys.executable, "-c", "from gateway.cli import main; main()", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"cannot listen on 127.0.0.1:{county.port}" in done.stderr
