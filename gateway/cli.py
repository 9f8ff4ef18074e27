"""`huxue`: the command line of whoever runs a gateway."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters.keys import KeyRingError
from gateway.adapters.rulebook import RulebookError
from gateway.commands import audit, clients, deidentify, keys, policy, purge, rotation, rules, serve, simulate
from gateway.commands.settings import settings_from
from gateway.demo import run as demo
from gateway.domain.decision import PolicyError
from gateway.domain.errors import HuxueError
from gateway.start import NotReady

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="护学：让每个孩子都在校 / keeps every child in school."
)
app.add_typer(clients.app, name="client", help="登记与注销客户端 / register and revoke clients")
app.add_typer(policy.app, name="policy", help="检查与解释策略 / check and explain policies")
app.add_typer(deidentify.app, name="deidentify", help="去标识化 / de-identification")
app.add_typer(audit.app, name="audit", help="核验与导出存证 / check and export the evidence")
app.add_typer(keys.app, name="keys", help=rotation.HELP)
app.add_typer(rules.app, name="rules", help=rules.HELP)
app.command("token", help="打印访问令牌，供 curl 使用 / print an access token, for curl")(clients.token)
app.command("simulate", help="启动一个部门的模拟系统 / run an agency's simulated system")(simulate.simulate)
app.command("purge", help="删除超过保存期限的数据 / remove what is past its purpose")(purge.purge)
app.command("demo", help="演示：一个县、六个部门、四个故事 / a county, six agencies, four stories")(demo.run)


Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]


@app.command("serve", help="启动网关 / run the gateway")
def serve_command(
    data: Data,
    host: Annotated[str | None, typer.Option(help="监听地址 / address")] = None,
    port: Annotated[int | None, typer.Option(help="监听端口 / port")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数 / worker processes")] = None,
    profile: Annotated[str | None, typer.Option(help="production | demo")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="法定日期 / law date (demo only)")] = None,
) -> None:
    """Run until interrupted. Production says what is missing and exits with code 2."""
    given = {"data": data, "host": host, "port": port, "workers": workers, "profile": profile, "as_of": as_of}
    settings = settings_from({name: value for name, value in given.items() if value is not None})
    serve.serve(settings)


def main() -> None:
    """Run the command line; what is wrong is said in one line, never as a stack."""
    os.umask(0o077)
    try:
        app(standalone_mode=True)
    except PolicyError as error:
        for finding in error.findings:
            typer.echo(f"{finding.where}: {finding.message_zh} / {finding.message_en}", err=True)
        sys.exit(2)
    except HuxueError as error:
        typer.echo(f"huxue: {error.detail_en or error.title_en}", err=True)
        sys.exit(1)
    except (NotReady, KeyRingError, RulebookError) as error:
        typer.echo(f"huxue: {error}", err=True)
        sys.exit(2)
