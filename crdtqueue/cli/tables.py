"""Tables on a terminal, of texts that strangers may have written."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crdtqueue.cli.api_client import printable


def add_row(table: Table, row: list[str]) -> None:
    """Adds a row, without what a terminal would obey."""
    table.add_row(*(escape(printable(cell)) for cell in row))


def show(table: Table, *, empty: str) -> None:
    """Prints the table, or the sentence `empty` if nothing is in it."""
    if table.row_count:
        Console(soft_wrap=True).print(table)
    else:
        print(empty)
