"""Jobs of files on OctoPrint's disk: its own files, and those that a browser has just uploaded."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crdtqueue.core.errors import CrdtQueueError, Invalid
from octoprint_crdtqueue.peer_client import (
    PeerAnswer,
    PeerClient,
)


class PeerRefused(CrdtQueueError):
    """The peer has refused; its answer is passed on unchanged."""

    def __init__(self, answer: PeerAnswer) -> None:
        super().__init__(answer.message)
        self.answer = answer


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A g-code file of OctoPrint: its name for people, and its path on disk."""

    name: str
    on_disk: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalJob:
    """The request for a job of one stored file. The peer checks names and numbers."""

    path: str
    queue: str
    name: str
    copies: Any
    runs: Any
    profiles: Any
    """None: those that the slicer wrote into the file."""


def parse_local_job(data: object) -> LocalJob:
    """The body of `add-local`. Raises Invalid."""
    if not isinstance(data, Mapping) or not isinstance(data.get("path"), str):
        raise Invalid('Say which file: {"path": "…", "queue": "…"}.')
    path = str(data["path"])
    return LocalJob(
        path=path,
        queue=str(data.get("queue") or "local"),
        name=str(data.get("name") or Path(path).stem),
        copies=data.get("copies", 1),
        runs=data.get("runs", 1),
        profiles=data.get("profiles"),
    )


def take_in(file: LocalFile) -> Callable[[PeerClient], dict[str, Any]]:
    """Gives the peer a copy of the file. What is returned raises PeerRefused, Invalid."""
    return hand_over(file, f"/api/files?name={quote(file.name, safe='')}")


def hand_over(file: LocalFile, path: str) -> Callable[[PeerClient], dict[str, Any]]:
    """Sends the file to this path of the peer's. What is returned raises PeerRefused, Invalid."""

    def work(client: PeerClient) -> dict[str, Any]:
        try:
            with file.on_disk.open("rb") as content:
                answer = client.send(path, content, file.on_disk.stat().st_size)
        except FileNotFoundError:
            raise Invalid(f"OctoPrint has no file {file.name} any more. Reload the list.") from None
        if not answer.ok:
            raise PeerRefused(answer)
        made: dict[str, Any] = answer.json()
        return made

    return work


def add(job: LocalJob, file: LocalFile) -> Callable[[PeerClient], dict[str, Any]]:
    """Adds the job. What is returned raises PeerRefused, Invalid."""

    def work(client: PeerClient) -> dict[str, Any]:
        uploaded = take_in(file)(client)
        profiles = job.profiles or ([uploaded["profile"]] if uploaded["profile"] else [])
        if not profiles:
            raise Invalid(
                f'{file.name} does not say which printer it is made for. Give "profiles", like'
                ' ["MK3S"].'
            )
        part = {
            "sha256": uploaded["sha256"],
            "name": uploaded["name"],
            "copies": job.copies,
            "profiles": profiles,
        }
        new = {"name": job.name, "runs": job.runs, "sets": [part]}
        path = f"/api/queues/{quote(job.queue, safe='')}/jobs"
        answer = client.ask("POST", path, json.dumps(new).encode())
        if not answer.ok:
            raise PeerRefused(answer)
        added: dict[str, Any] = answer.json()
        return added

    return work
