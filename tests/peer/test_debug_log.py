"""At DEBUG the log of one peer says why its printer did not take a job."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.harness.loopback_peers import MemoryPrinter, add_job, done, running, until, until_linked


def test_who_denied_whom_and_why_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop", printer=MemoryPrinter(auto=True)) as a,
            running(tmp_path / "b", queue="workshop", printer=MemoryPrinter(auto=True)) as b,
        ):
            await a.add_addresses("workshop", [str(b.config.listen)])
            await until_linked(a, b)
            job = await add_job(a)
            await until(a, lambda: done(a, job) == 1)

    with caplog.at_level(logging.DEBUG, logger="crdtqueue"):
        asyncio.run(scenario())
    text = caplog.text
    for expected in (
        ": ask",
        ": hello",
        "sync",
        "is asked for",
        "is armed",
        "AskForJob",
        "next job",
    ):
        assert expected in text, expected
