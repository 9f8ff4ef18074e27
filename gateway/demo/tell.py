"""How the demo speaks: Chinese first with English beside, tables and bars for a terminal and for a file."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.demo.wire import Heard

WIDTH = 100
_WIDEST = 120


class Teller:
    """Tells on standard output; `heard` has all that was told. Not a terminal: plain text of 100 columns."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal without 汉字 still gets its story
        self.heard = Heard(sys.stdout)
        self._terminal = sys.stdout.isatty()
        self._console = self._make()

    def _make(self) -> Console:
        file = cast(IO[str], self.heard)
        if not self._terminal:
            return Console(
                file=file,
                width=WIDTH,
                force_terminal=False,
                no_color=True,
                color_system=None,
                highlight=False,
            )
        console = Console(file=file, highlight=False)
        console.width = min(console.width, _WIDEST)
        return console

    def chapter(self, zh: str, en: str) -> None:
        """A heading."""
        self._console.print()
        self._console.rule(f"[bold]{escape(zh)}[/bold]  {escape(en)}", align="left")

    def say(self, zh: str, en: str = "") -> None:
        """A sentence, its English on a line below."""
        self._console.print(escape(zh))
        if en:
            self._console.print(f"[dim]{escape(en)}[/dim]")

    def line(self, text: str) -> None:
        """A line that is never broken: something to copy."""
        self._console.print(escape(text), soft_wrap=True)

    def verdict(self, good: bool, zh: str, en: str) -> None:
        """The last word."""
        mark = "[bold green]✓[/bold green]" if good else "[bold red]✗[/bold red]"
        self._console.print(f"\n{mark} {escape(zh)}  [dim]{escape(en)}[/dim]")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table. A column whose heading begins with `#` is of figures; `|` in a heading breaks the line."""
        self._console.print(f"\n[bold]{escape(title)}[/bold]")
        table = Table(header_style="bold")
        for column in columns:
            heading = escape(column.removeprefix("#").replace("|", "\n"))
            table.add_column(heading, justify="right" if column.startswith("#") else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self._console.print(table)

    @contextmanager
    def progress(self, zh: str, en: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """A bar while the block runs, moved on by the function given; nothing at all outside a terminal."""
        if not self._terminal:
            yield lambda: None
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(escape(f"{zh} {en}"), total=total)
            yield lambda: bar.advance(task)
