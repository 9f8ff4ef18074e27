"""`huxue demo`: a county in a temporary folder, six simulated agencies, four stories, and the check."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.demo import check
from gateway.demo.folder import BUNDLED, County, read_county
from gateway.demo.observed import Observed
from gateway.demo.stage import ROLES, WATCHERS, BrokenStoryError, Stage, staged
from gateway.demo.story import perform
from gateway.demo.tell import Teller

_MISMATCHES_SHOWN = 20


def run(
    once: Annotated[
        bool, typer.Option("--once", help="核对全部答复后结束 / check every answer, then end")
    ] = False,
    county: Annotated[Path, typer.Option(help="县级数据目录 / folder of a county")] = BUNDLED,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="网关端口 / the gateway's port")] = None,
) -> None:
    """Exit code 0; with --once 1 when an answer is not the county's truth, 2 when the folder is no county."""
    truth, teller, started = read_county(county), Teller(), time.monotonic()
    with _ended_politely():
        teller.say(
            f"护学演示：县 {truth.code}，法定日期 {truth.as_of}，样本 {county}",
            f"Huxue demo: county {truth.code}, law date {truth.as_of}. Everybody in it is invented.",
        )
        try:
            good = _show(truth, port, teller, once, started)
        except BrokenStoryError as error:
            teller.verdict(False, "演示中断：", str(error))
            good = False
    if not good:
        raise typer.Exit(1)


def _show(county: County, port: int | None, teller: Teller, once: bool, started: float) -> bool:
    with staged(county, port) as stage:
        try:
            seen = perform(stage, teller)
        except BrokenStoryError:
            for line in stage.errors_logged():
                teller.line(line)
            raise
        if once:
            checks = _checks(stage, seen, teller)
            return _report(teller, checks, time.monotonic() - started)
        return _keep_serving(stage, teller)


def _checks(stage: Stage, seen: Observed, teller: Teller) -> list[check.Check]:
    secrets = stage.county.secrets
    log = [(f"gateway.log:{n}", line) for n, line in enumerate(stage.log.read_bytes().splitlines(), 1)]
    shown = [("stdout", teller.heard.text.encode())]
    return [
        *check.against_truth(stage.county, seen),
        check.evidence(seen, stage.wire),
        check.silence(
            "网关答复无个人信息", "gateway's answers are silent", secrets, check.said_by_gateway(stage.wire)
        ),
        check.silence("各部门系统无个人信息", "agencies' systems are silent", secrets, stage.told),
        check.silence("网关日志无个人信息", "gateway's log is silent", secrets, log),
        check.silence("本演示未显示个人信息", "this telling is silent", secrets, shown),
    ]


def _report(teller: Teller, checks: list[check.Check], seconds: float) -> bool:
    """The check table and every mismatch; whether all holds."""
    teller.chapter("核对", "The check")
    rows = [
        (one.zh, one.en, one.compared, len(one.wrong), "✓ 相符" if not one.wrong else "✗ 不符")
        for one in checks
    ]
    columns = ["核对项|check", "内容|what", "#项数|compared", "#不符|wrong", "结果|result"]
    teller.table("与 expected.json、applicants.jsonl 逐项核对 Against the county's truth", columns, rows)
    wrong = [f"✗ {one.zh} {one.en}: {what}" for one in checks for what in one.wrong]
    for text in wrong[:_MISMATCHES_SHOWN]:
        teller.line(text)
    if len(wrong) > _MISMATCHES_SHOWN:
        teller.line(f"✗ …… {len(wrong) - _MISMATCHES_SHOWN} more")
    compared = sum(one.compared for one in checks)
    if wrong:
        teller.verdict(False, f"{len(wrong)} 处不符（{seconds:.1f} 秒）", f"{len(wrong)} mismatches")
    else:
        teller.verdict(
            True, f"全部相符：{compared} 项（{seconds:.1f} 秒）", "every answer is the county's truth"
        )
    return not wrong


def _keep_serving(stage: Stage, teller: Teller) -> bool:
    """Say how to reach what runs, and wait for Ctrl-C; False when the gateway ended by itself."""
    _directions(stage, teller)
    try:
        while stage.alive:
            time.sleep(0.5)
    except KeyboardInterrupt:
        teller.verdict(True, "正在结束并删除数据目录", "stopping, and removing the data folder")
        return True
    teller.verdict(False, "网关已意外结束", "the gateway ended by itself")
    return False


def _directions(stage: Stage, teller: Teller) -> None:
    key, url = stage.key_file("relief_officer"), stage.url
    teller.chapter("网关仍在运行，Ctrl-C 结束", "The gateway keeps running until Ctrl-C")
    teller.line(f"网关 gateway      {url}")
    teller.line(f"接口文档 OpenAPI  {url}/openapi.json")
    teller.line(f"数据目录 data     {stage.settings.data}")
    for agency, roles in ROLES.items():
        teller.line(f"模拟系统 {agency}  {stage.agencies[agency].base_url}")
        for role in roles:
            teller.line(f"  私钥 key {agency}/{role}  {stage.key_file(role)}")
    for role in WATCHERS:
        teller.line(f"  私钥 key gateway/{role}  {stage.key_file(role)}")
    teller.say("\n可直接粘贴：", "Ready to paste:")
    teller.line(f"export URL={url} DATA={stage.settings.data} KEYS={key.parent}  # docs/auditor.md")
    records = (
        f"{url}/v1/exchanges/needy-children/records?purpose=child_relief&region={stage.county.code}&limit=3"
    )
    teller.line(f"TOKEN=$(huxue token --client {key} --url {url})")
    teller.line(f"curl -s -H \"Authorization: Bearer $TOKEN\" '{records}'")
    teller.line(f"curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/v1/catalogue'")


@contextmanager
def _ended_politely() -> Iterator[None]:
    """A terminated demo cleans up as an interrupted one does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
