"""`huxue policy check | matrix | explain`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters.cedar import load
from gateway.adapters.limits import load_limits
from gateway.adapters.rulebook import RulebookError, load_rulebook
from gateway.services import policy
from gateway.settings import POLICIES

app = typer.Typer(no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--policies", envvar="HUXUE_POLICIES", help="策略目录 / folder")]


@app.command("check", help="检查全部策略与用例 / load, lint, run every case")
def check(policies: Folder = POLICIES) -> None:
    """Exit code 1 and every finding when anything is wrong; rules, duties, thresholds and disclosure too."""
    findings = policy.check(policies, load)
    for finding in findings:
        typer.echo(f"{finding.where}: {finding.message_zh} / {finding.message_en}", err=True)
    if findings:
        raise typer.Exit(1)
    try:
        load_rulebook(policies)
    except RulebookError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    bundle = load(policies)
    try:
        load_limits(policies, bundle.registry.roles)
    except RulebookError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"ok: version {bundle.version}")


@app.command("matrix", help="岗位×用途×交换×字段全表 / who gets which field how")
def matrix(policies: Folder = POLICIES) -> None:
    """The whole matrix as text."""
    typer.echo(policy.matrix(load(policies)))


@app.command("explain", help="解释一项授权 / why a role gets or does not get an exchange")
def explain(
    role: Annotated[str, typer.Option(help="岗位 / agency/role")],
    purpose: Annotated[str, typer.Option(help="用途 / purpose")],
    exchange: Annotated[str, typer.Option(help="交换 / exchange")],
    policies: Folder = POLICIES,
) -> None:
    """In Chinese and English, without policy text."""
    found = policy.explain(load(policies), role, purpose, exchange)
    if found.refusal is not None:
        typer.echo("不允许 / refused: {} {} / {}".format(*found.refusal))
        raise typer.Exit(1)
    typer.echo(f"允许 / permitted: {', '.join(found.policy_ids)}")
    typer.echo(f"依据 / legal basis: {'；'.join(found.legal_basis)}")
    for name, treatment in sorted(found.fields.items()):
        typer.echo(f"  {name}: {treatment.name.lower()}")
    for name, (zh, en) in sorted(found.withheld.items()):
        typer.echo(f"  {name}: withhold — {zh} / {en}")
