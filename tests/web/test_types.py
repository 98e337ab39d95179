"""The types of the page's `api/types.js` say exactly what a peer sends, and what it takes."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from crdtqueue_web import static_dir
from pydantic import BaseModel

from crdtqueue.api import models
from crdtqueue.core.document.model import Mode, Result, Strategy
from crdtqueue.core.explain import JobState
from crdtqueue.core.worker.scripts import SCRIPT_STEPS
from crdtqueue.core.worker.worker_events import WaitReason
from crdtqueue.peer.peer import Peer
from tests.harness import sample_state
from tests.harness.loopback_peers import MemoryPrinter, add_job, running, until_linked
from tests.harness.peer_pages import client_of
from tests.web.jsdoc_types import OTHERS, TYPES, Fields, alternatives, fields_of

Json = dict[str, Any]
Answers = dict[str, list[Any]]

NOT_SENT = {
    "OwnFacts": "it is a part of OwnPrinter",
    "QueueFacts": "it is a part of QueueView",
    "QueueSettings": "it is a part of QueueView",
    "StoredFile": "it comes from the host of the view",
}
TAKEN: dict[str, type[BaseModel]] = {
    "NewSet": models.NewSet,
    "NewJob": models.NewJob,
    "JobFields": models.JobEdit,
    "SetFields": models.SetEdit,
    "NewQueue": models.NewQueue,
    "QueueSettings": models.QueueEdit,
}
"""What the page sends, and the model that the peer reads it with."""
NOT_TAKEN = {"HistoryFilter": "it goes into the query, and the test of the requests looks at it"}


async def _get(client: httpx.AsyncClient, path: str) -> Json:
    answer = await client.get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _answers(a: Peer, b: Peer, printer: MemoryPrinter) -> list[tuple[str, Json]]:
    """What two peers answer while b prints a job, one is edited, and one is deleted."""
    async with client_of(a) as client, client_of(b) as owner:
        await until_linked(a, b)
        await add_job(a, copies=2)
        edited, deleted = [
            f"/api/queues/workshop/jobs/{await add_job(a, profile='MINI')}" for _ in range(2)
        ]
        assert (await client.put(f"{edited}/draft")).status_code == 204
        assert (await client.delete(deleted)).status_code == 204
        gcode = b"; printer_model = MINI\nG28\n"
        file = await client.post("/api/files", params={"name": "x.gcode"}, content=gcode)
        new_set = {"sha256": file.json()["sha256"], "name": "x.gcode", "profiles": ["MINI"]}
        body = {"name": "x", "sets": [new_set]}
        added = await client.post("/api/queues/local/jobs", json=body)
        states = [await _until_printing(each) for each in (client, owner)]
        printer.finish()
        return [
            *(("State", each) for each in states),
            ("UploadedFile", file.json()),
            ("Added", added.json()),
            ("HistoryPage", await _until_printed(owner)),
        ]


async def _until_printing(client: httpx.AsyncClient) -> Json:
    while True:
        state = await _get(client, "state")
        queue = state["queues"][1]
        if queue["jobs"][0]["printing_by"] and any(each["printer"] for each in queue["peers"]):
            return state
        await asyncio.sleep(0.05)


async def _until_printed(client: httpx.AsyncClient) -> Json:
    while True:
        page = await _get(client, "history")
        if page["entries"]:
            return page
        await asyncio.sleep(0.05)


class Reader:
    """Compares what was sent with the types, and keeps which of them it has met."""

    def __init__(self) -> None:
        self.met: set[str] = set()

    def mistakes(self, value: object, kind: str, where: str) -> list[str]:
        """What of a value its type does not say, and what of the type it does not have."""
        tried = [self._compare(value, each, where) for each in alternatives(OTHERS.get(kind, kind))]
        return [] if [] in tried else max(tried, key=len)

    def _compare(self, value: object, kind: str, where: str) -> list[str]:
        match value:
            case None:
                fits = kind == "null"
            case bool():
                fits = kind == "boolean"
            case int() | float():
                fits = kind == "number"
            case str():
                fits = kind in {"string", f'"{value}"'}
            case list():
                item = kind.removesuffix("[]")
                if item != kind:
                    return [m for each in value for m in self.mistakes(each, item, where)]
                fits = False
            case dict() if kind == "Record<string, string>":
                fits = all(isinstance(each, str) for each in value.values())
            case dict() if kind in TYPES:
                self.met.add(kind)
                return self._compare_keys(value, TYPES[kind], kind)
            case dict() if kind.startswith("{"):
                return self._compare_keys(value, fields_of(kind), where)
            case _:
                fits = False
        return [] if fits else [f"{where} is {value!r}, not {kind}"]

    def _compare_keys(self, value: Json, fields: Fields, where: str) -> list[str]:
        sent, named = value.keys(), fields.keys()
        found = [f"{where}.{key} is sent, but is not in the type" for key in sent - named]
        found += [f"{where}.{key} is in the type, but is not sent" for key in named - sent]
        for key in named & sent:
            found += self.mistakes(value[key], fields[key], f"{where}.{key}")
        return found


def test_the_types_are_what_a_peer_sends(tmp_path: Path) -> None:
    printer, reader = MemoryPrinter(), Reader()

    async def scenario() -> list[tuple[str, Json]]:
        async with running(tmp_path / "a", queue="workshop") as a:
            known = [str(a.config.listen)]
            async with running(
                tmp_path / "b", name="b", queue="workshop", peers=known, printer=printer
            ) as b:
                return await _answers(a, b, printer)

    found = [
        mistake
        for kind, answer in asyncio.run(scenario())
        for mistake in reader.mistakes(answer, kind, kind)
    ]
    assert not found, "\n".join(sorted(set(found)))
    assert reader.met == TYPES.keys() - NOT_SENT.keys() - TAKEN.keys() - NOT_TAKEN.keys()


def test_the_samples_of_the_browser_tests_are_what_a_peer_sends() -> None:
    samples = [
        ("State", sample_state.workshop()),
        ("HistoryEntry", sample_state.history_entry(1, "Hinge pins")),
        ("DraftView", sample_state.draft()),
    ]
    assert [m for kind, sample in samples for m in Reader().mistakes(sample, kind, kind)] == []


@pytest.mark.parametrize("kind", TAKEN)
def test_the_types_are_what_a_peer_takes(kind: str) -> None:
    fields = TAKEN[kind].model_fields
    assert TYPES[kind].keys() <= fields.keys()
    required = {name for name, field in fields.items() if field.is_required()}
    assert required <= TYPES[kind].keys()


def _words(kind: str, key: str) -> set[str]:
    return {each.strip('"') for each in alternatives(TYPES[kind][key])}


def test_the_words_of_the_types_are_those_of_a_peer() -> None:
    assert _words("JobView", "state") == set(JobState)
    assert _words("QueueSettings", "strategy") == set(Strategy)
    assert _words("QueueSettings", "mode") == set(Mode)
    assert _words("HistoryEntry", "result") == set(Result)
    assert set(WaitReason) <= _words("PrinterView", "state")
    events = (static_dir() / "settings" / "script-events.js").read_text(encoding="utf-8")
    assert re.findall(r'event: "([^"]+)"', events) == list(SCRIPT_STEPS)
