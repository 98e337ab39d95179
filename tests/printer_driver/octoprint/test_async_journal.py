import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from printer_driver.errors import PrinterUnavailable, PrintRefused
from printer_driver.octoprint.async_journal import AsyncJournal
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.journal import Journal

BEGUN = PrintReport(print_id="a", state=PrintState.STARTING, bytes_total=7)
DONE = replace(BEGUN, state=PrintState.DONE)


def test_begun_and_over(tmp_path: Path) -> None:
    async def main() -> None:
        record = AsyncJournal(tmp_path / "folder" / "journal")
        assert await record.load() == []
        await record.begin(BEGUN, path="/a.gcode", sha256="0" * 64)
        assert (record.report("a"), record.over()) == (BEGUN, [])
        assert await AsyncJournal(tmp_path / "folder" / "journal").load() == [BEGUN]
        assert await record.end(DONE)
        assert record.over() == ["a"]
        assert await AsyncJournal(tmp_path / "folder" / "journal").load() == []

    asyncio.run(main())


def test_withdrawn(tmp_path: Path) -> None:
    async def main() -> None:
        record = AsyncJournal(tmp_path / "journal")
        await record.load()
        await record.begin(BEGUN, path="", sha256="")
        await record.withdraw("a")
        await record.withdraw("never begun")
        assert record.report("a") is None
        assert await AsyncJournal(tmp_path / "journal").load() == []

    asyncio.run(main())


def test_a_full_disk_keeps_the_end_of_a_print_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_journal: Journal) -> None:
        raise OSError(28, "No space left on device")

    async def main() -> None:
        record = AsyncJournal(tmp_path / "journal")
        await record.load()
        await record.begin(BEGUN, path="", sha256="")
        with monkeypatch.context() as disk:
            disk.setattr(Journal, "flush", full)
            assert not await record.end(DONE)
            assert record.over() == []
        assert record.report("a") == DONE
        assert await record.flush()
        assert record.over() == ["a"]

    asyncio.run(main())


def test_a_full_disk_begins_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(PrintRefused, match="make room"):
            await AsyncJournal(Path("/dev/full")).begin(BEGUN, path="", sha256="")
        with pytest.raises(PrinterUnavailable, match="make room"):
            await AsyncJournal(tmp_path).load()

    asyncio.run(main())
