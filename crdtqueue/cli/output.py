"""What a command prints: sentences, JSON and tables, of texts that strangers may have written."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def printable(text: str) -> str:
    """`text` without what a terminal would obey, or cannot show."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def say(options: argparse.Namespace, text: str, **facts: object) -> None:
    """Tells a person `text`, or a program `facts`."""
    print(json.dumps(facts) if options.json else printable(text))


def table(*columns: str) -> Table:
    """An empty table with these columns, without a frame."""
    from rich.table import Table  # noqa: PLC0415 # rich takes 0.1 s to load, and few commands need it

    return Table(*columns, box=None)


def add_row(table: Table, row: list[str]) -> None:
    """Adds a row, without the characters that a terminal would obey."""
    from rich.markup import escape  # noqa: PLC0415 # see `table`

    table.add_row(*(escape(printable(cell)) for cell in row))


def show(table: Table, *, empty: str) -> None:
    """Prints the table, or the sentence `empty` if the table has no rows."""
    from rich.console import Console  # noqa: PLC0415 # see `table`

    if table.row_count:
        Console(soft_wrap=True).print(table)
    else:
        print(empty)
