"""The printers that the history names, for who wants to choose one of them."""

from typing import Final

from crdtqueue.adapters.store import Store

PRINTERS_MAX: Final = 500
"""Those that have printed last; the others are found by typing their name."""

_NAMES: Final = (
    "SELECT printer_name FROM history WHERE printer_name <> ''"
    " GROUP BY printer_name ORDER BY max(ended_at_s) DESC LIMIT ?"
)


async def printer_names(store: Store, limit: int = PRINTERS_MAX) -> list[str]:
    """Each name once, whatever its case, as it was written last; in alphabetical order."""
    names: dict[str, str] = {}
    for (name,) in await store.read(_NAMES, (limit,)):
        names.setdefault(str(name).casefold(), str(name))
    return [names[folded] for folded in sorted(names)]
