"""One zip for a bug report: with the state or without, never with a secret, never over a file."""

import json
import stat
import zipfile
from pathlib import Path

from crdtqueue.cli.main import main
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import add_job
from tests.harness.terminal import Capture, Terminal, run

PLANTED = "c0ffee-the-key-of-octoprint"


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_a_bundle_has_state_versions_and_logs_and_no_secret(
    tmp_path: Path, capsys: Capture
) -> None:
    out, data = tmp_path / "out.zip", tmp_path / "peer"

    async def use(peer: Peer, terminal: Terminal) -> None:
        await add_job(peer)
        (data / "printer.log").write_text("INFO it prints\n")
        (data / "key.txt").write_text(PLANTED)
        said = await terminal.says("bundle", str(out), "--data", str(data))
        assert said == f"Wrote {out}. It has names of jobs, files and peers, and no keys.\n"

    run(tmp_path, capsys, use, queue="workshop")
    files = contents(out)
    assert files["printer.log"] == b"INFO it prints\n"
    about = json.loads(files["about.json"])
    assert about["versions"]["crdtqueue"]
    assert about["store"]["store.sqlite3"] > 0
    assert json.loads(files["state.json"])["queues"][1]["jobs"][0]["name"] == "part"
    assert PLANTED.encode() not in b"".join(files.values())
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_without_names_equal_names_have_equal_hashes(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.zip"

    async def use(peer: Peer, terminal: Terminal) -> None:
        for _ in range(2):
            await add_job(peer)
        (tmp_path / "peer" / "printer.log").write_text("part.gcode\n")
        await terminal.says("bundle", str(out), "--data", str(tmp_path / "peer"), "--no-names")

    run(tmp_path, capsys, use, queue="workshop")
    files = contents(out)
    whole = b"".join(files.values())
    assert b"part.gcode" not in whole
    assert b'"part"' not in whole
    jobs = json.loads(files["state.json"])["queues"][1]["jobs"]
    assert jobs[0]["name"] == jobs[1]["name"]


def test_a_peer_that_does_not_answer_is_said_and_no_file_is_overwritten(
    tmp_path: Path, capsys: Capture
) -> None:
    given = ["bundle", str(tmp_path / "out.zip"), "--data", str(tmp_path)]
    given += ["--url", "http://127.0.0.1:1"]
    assert main(given) == 0
    assert "Missing is the state: No peer answers" in capsys.readouterr().out
    assert main(given) == 1
    assert "is there already" in capsys.readouterr().err
