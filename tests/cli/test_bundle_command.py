"""The bundle for a bug report, made beside a running peer and without one."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from crdtqueue.adapters.store_schema import SCHEMA
from crdtqueue.cli import bundle_command
from crdtqueue.cli.main import main
from crdtqueue.peer.peer import STORE_NAME, Peer
from tests.harness.loopback_peers import MemoryPrinter, add_job
from tests.harness.terminal import Capture, Terminal, run

NOBODY = "http://127.0.0.1:1"


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[f"{name}.json"])


def fill_logs(folder: Path) -> None:
    (folder / "printer.log").write_text("INFO begins: part.gcode\nAuthorization: Bearer hunter2\n")
    (folder / "prints.journal").write_text('{"name": "part.gcode"}\n')
    (folder / "key.txt").write_text("hunter2")


def test_a_running_peer_gives_all_that_a_report_needs(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "out.zip"

    async def use(peer: Peer, terminal: Terminal) -> None:
        await add_job(peer)
        fill_logs(peer.config.folder)
        said = await terminal.says("bundle", str(target))
        assert said.startswith(f"Wrote {target}. It has the names of jobs, files and peers;")
        files = contents(target)
        assert files.keys() == {
            "about.json",
            "state.json",
            "versions.json",
            "settings.json",
            "store.json",
            "logs/printer.log",
            "logs/prints.journal",
        }
        assert read(files, "about")["missing"] == []
        assert read(files, "settings")["printer"]["profile"] == "MK3S"
        assert read(files, "store")["schema"] == SCHEMA
        assert read(files, "store")["gcode_files"] == 1
        assert read(files, "state")["queues"][1]["jobs"][0]["sets"][0]["file"]["name"]
        assert b"part.gcode" in files["logs/printer.log"]
        assert not any(b"hunter2" in content for content in files.values())
        assert target.stat().st_mode & 0o777 == 0o600
        assert "is there already" in await terminal.fails("bundle", str(target))
        assert contents(target) == files

    run(tmp_path, capsys, use, queue="workshop", printer=MemoryPrinter())


def test_names_are_hidden_on_request_everywhere(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "out.zip"

    async def use(peer: Peer, terminal: Terminal) -> None:
        for _ in range(2):
            await add_job(peer)
        name = peer.queue("workshop").state.jobs[0].sets[0].file.name
        (peer.config.folder / "printer.log").write_text(f"begins: {name}\n")
        told = await terminal.json("bundle", "--no-names", str(target))
        assert told["names_hidden"]
        files = contents(target)
        first, second = read(files, "state")["queues"][1]["jobs"]
        file = first["sets"][0]["file"]
        assert first["name"] == second["name"]
        assert read(files, "state")["queues"][1]["name"] == "workshop"
        assert read(files, "settings")["name"] == read(files, "state")["peer"]["name"]
        assert file["name"].startswith("#")
        assert files["logs/printer.log"].decode() == f"begins: {file['name']}\n"
        for hidden in (name, peer.me.name):
            assert not any(f'"{hidden}"'.encode() in content for content in files.values())

    run(tmp_path, capsys, use, queue="workshop")


def test_without_a_peer_the_folder_is_read_and_the_gaps_are_said(
    tmp_path: Path, capsys: Capture
) -> None:
    async def use(peer: Peer, _: Terminal) -> None:
        await add_job(peer)

    run(tmp_path, capsys, use, queue="workshop")
    folder, target = tmp_path / "peer", tmp_path / "out.zip"
    fill_logs(folder)
    before = sorted(folder.iterdir())
    given = ["bundle", "--url", NOBODY, "--data", str(folder)]
    assert main([*given, str(target)]) == 0
    assert "State and settings are missing: No peer answers" in capsys.readouterr().out
    files = contents(target)
    assert read(files, "store") | {"bytes": {}} == {
        "schema": SCHEMA, "damage": "", "found": "", "gcode_files": 1,
        "gcode_bytes": read(files, "store")["gcode_bytes"], "bytes": {},
    }  # fmt: skip
    assert STORE_NAME in read(files, "store")["bytes"]
    assert "logs/printer.log" in files
    assert not any(b"hunter2" in content for content in files.values())
    assert sorted(folder.iterdir()) == before
    hidden = tmp_path / "hidden.zip"
    assert main([*given, "--no-names", str(hidden)]) == 0
    assert "only a running peer knows which names" in capsys.readouterr().out
    assert not any(b"part" in content for content in contents(hidden).values())


def test_nothing_to_report_or_no_place_for_it_is_an_error_that_leaves_no_file(
    tmp_path: Path, capsys: Capture
) -> None:
    target = tmp_path / "out.zip"
    given = ["bundle", "--url", NOBODY, "--data", str(tmp_path / "none")]
    assert main([*given, str(target)]) == 1
    assert "there is no data folder" in capsys.readouterr().err
    assert main(["bundle", "--url", "ftp://x", str(target)]) == 1
    assert main([*given, str(tmp_path / "none" / "out.zip")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert not target.exists()


def test_the_end_of_a_long_log_is_taken_from_the_start_of_a_line(tmp_path: Path) -> None:
    log = tmp_path / "printer.log"
    log.write_bytes(b"one\ntwo\nthree\n")
    assert bundle_command.tail(log, 100) == b"one\ntwo\nthree\n"
    assert bundle_command.tail(log, 8) == b"three\n"
    assert bundle_command.tail(log, 0) == b""
    (tmp_path / "link.log").symlink_to(log)
    os.mkfifo(tmp_path / "pipe.log")
    for name in ("link.log", "pipe.log"):
        with pytest.raises(OSError, match="no plain file"):
            bundle_command.tail(tmp_path / name, 100)


def test_all_logs_together_are_bounded(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_command, "FILE_BYTES_MAX", 100)
    monkeypatch.setattr(bundle_command, "ALL_FILES_BYTES_MAX", 150)
    for number in range(4):
        (tmp_path / f"a{number}.log").write_bytes(b"x\n" * 1000)
    target = tmp_path / "out.zip"
    assert main(["bundle", "--url", NOBODY, "--data", str(tmp_path), str(target)]) == 0
    logs = [data for name, data in contents(target).items() if name.startswith("logs/")]
    assert max(map(len, logs)) <= 100
    assert sum(map(len, logs)) <= 150
