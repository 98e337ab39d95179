"""The materials that are loaded in a printer, and those that a print needs.

Nobody has to say what is loaded. Once a person has, a print that needs another material waits until
a person says that it is loaded. Before that, the materials of earlier prints are only remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from crdtqueue.core.document.model import MATERIALS_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """The material in each tool, empty where unknown.

    `said` means that a person has confirmed it.
    """

    tools: tuple[str, ...] = ()
    said: bool = False

    def changes(self, wanted: Sequence[str]) -> int:
        """In how many tools the material would have to be changed; 0 while nothing is known."""
        return len(self._differing(wanted)) if any(self.tools) else 0

    def missing(self, wanted: Sequence[str]) -> Mapping[int, str]:
        """The materials that a person must load before this print, by tool, counted from 0."""
        return self._differing(wanted) if self.said else {}

    def used(self, wanted: Sequence[str]) -> "Loaded":
        """What is loaded after a print that needs this: a tool that it does not need is
        unchanged."""
        pairs = zip_longest(wanted[:MATERIALS_MAX], self.tools, fillvalue="")
        return replace(self, tools=tuple(want or known for want, known in pairs))

    def _differing(self, wanted: Sequence[str]) -> dict[int, str]:
        pairs = zip_longest(wanted[:MATERIALS_MAX], self.tools[: len(wanted)], fillvalue="")
        return {
            tool: want
            for tool, (want, known) in enumerate(pairs)
            if want and _plain(want) != _plain(known)
        }


def in_words(missing: Mapping[int, str]) -> str:
    """`PETG in tool 1 and PLA in tool 2`: people count from 1."""
    return " and ".join(f"{material} in tool {tool + 1}" for tool, material in missing.items())


def _plain(material: str) -> str:
    """A material in the form in which it is compared: whole, without case and blanks."""
    return " ".join(material.split()).casefold()
