"""Keeps the scripts of this peer's printer: texts in the store, and files for the printer."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from crdtqueue.adapters.file_store import FileStore
from crdtqueue.adapters.store import Store
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.scripts import (
    SCRIPT_BYTES_MAX,
    SCRIPT_STEPS,
    CycleStep,
    Scripts,
)
from printer_driver.core.gcode.gcode_lines import check_gcode
from printer_driver.errors import GcodeError

SHELF_BYTES_MAX = 1024**2
"""What is kept of scripts that are no longer set: the printer may still be running one."""
_KEY = "scripts"

log = logging.getLogger(__name__)


class ScriptStore:
    """Call `open` first. Its `files` in `folder` are for scripts alone."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.files = FileStore(folder, store_bytes_max=SHELF_BYTES_MAX)
        self._changing = asyncio.Lock()
        self._texts: dict[CycleStep, str] = {}
        self._refs: dict[CycleStep, FileRef] = {}

    @property
    def texts(self) -> Mapping[CycleStep, str]:
        """The g-code of each event that has a script."""
        return self._texts

    @property
    def refs(self) -> Scripts:
        """The same as files."""
        return self._refs

    async def open(self, changes: Mapping[CycleStep, str | None]) -> None:
        """Reads the scripts and writes each to a file for the printer; then makes `changes`.

        Raises Invalid or Unavailable.
        """
        await self.files.open()
        for name, text in _read(await self._store.meta(_KEY)).items():
            try:
                self._refs[CycleStep(name)] = await self._file(CycleStep(name), text)
                self._texts[CycleStep(name)] = text
            except Invalid as error:
                log.warning("The script %s is left out: %s", name, error)
        for step, changed in changes.items():
            await self.put(step, changed)

    async def put(self, step: CycleStep, text: str | None) -> None:
        """Sets a script, durably, or takes it away (None). Raises Invalid or Unavailable."""
        async with self._changing:
            await self._put(step, text)
            await self.files.evict({ref.sha256 for ref in self._refs.values()})

    async def _put(self, step: CycleStep, text: str | None) -> None:
        ref = await self._file(step, text) if text is not None else None
        texts = {each: known for each, known in self._texts.items() if each is not step}
        if text is not None:
            texts[step] = text
        await self._store.set_meta(_KEY, json.dumps(texts))
        self._texts = texts
        self._refs.pop(step, None)
        if ref:
            self._refs[step] = ref

    async def _file(self, step: CycleStep, text: str) -> FileRef:
        check_script(step, text)
        return (await self.files.receive(f"{step.value}.gcode", _whole(text))).file


def check_script(step: CycleStep, text: str) -> None:
    """Raises Invalid if this text is not a script."""
    if step not in SCRIPT_STEPS:
        raise Invalid(f"There is no event {step.value}. There are: {', '.join(SCRIPT_STEPS)}.")
    data = text.encode("utf-8", "replace")
    if len(data) > SCRIPT_BYTES_MAX:
        raise Invalid(
            f"The script {step.value} is larger than {SCRIPT_BYTES_MAX // 1024} kB. Shorten it."
        )
    try:
        check_gcode(data.splitlines(keepends=True))
    except GcodeError as error:
        raise Invalid(f"The script {step.value} cannot be run: {error}") from error


def event_named(name: str) -> CycleStep:
    """The event of this name. Raises Invalid."""
    found = next((step for step in SCRIPT_STEPS if step.value == name), None)
    if found is None:
        known = ", ".join(SCRIPT_STEPS)
        raise Invalid(f"There is no event {name[:40]!r} for a script. There are: {known}.")
    return found


def _read(text: str | None) -> dict[str, str]:
    """The stored texts by event; entries that make no sense are left out."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        log.warning("The stored scripts cannot be read. Set them again.")
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {k: v for k, v in entries if k in SCRIPT_STEPS and isinstance(v, str)}


async def _whole(text: str) -> AsyncIterator[bytes]:
    yield text.encode("utf-8", "replace")
