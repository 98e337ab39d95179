"""Tests mirror the source: a module has a test file of its name, or is named here with its test."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MIRRORS = {
    "crdtqueue": "tests",
    "printer_driver": "tests/printer_driver",
    "plugin/octoprint_crdtqueue": "tests/plugin",
}
COVERED_ELSEWHERE = {
    "crdtqueue/adapters/crdt/pycrdt_backend.py": "tests/adapters/crdt/test_facade.py",
    "crdtqueue/adapters/crdt/y_py_backend.py": "tests/adapters/crdt/test_facade.py",
    "crdtqueue/adapters/octoprint_source.py": "tests/e2e/test_octoprint_without_plugin.py",
    "crdtqueue/adapters/printer_process.py": "tests/e2e/test_one_print.py",
    "crdtqueue/adapters/printer_source.py": "tests/e2e/test_one_print.py",
    "crdtqueue/api/job_view.py": "tests/api/test_view.py",
    "crdtqueue/api/printer_settings.py": "tests/http/test_printer_routes.py",
    "crdtqueue/api/state_text.py": "tests/api/test_view.py",
    "crdtqueue/cli/add_command.py": "tests/cli/test_commands.py",
    "crdtqueue/cli/list_commands.py": "tests/cli/test_commands.py",
    "crdtqueue/cli/output.py": "tests/cli/test_api_client.py",
    "crdtqueue/cli/queue_commands.py": "tests/cli/test_commands.py",
    "crdtqueue/core/claims/claim_events.py": "tests/core/claims/test_claims.py",
    "crdtqueue/peer/changes.py": "tests/http/test_app.py",
    "crdtqueue/peer/claim_readiness.py": "tests/peer/test_lan_queue.py",
    "crdtqueue/peer/config.py": "tests/cli/test_serve.py",
    "crdtqueue/peer/draft_keeper.py": "tests/api/test_jobs.py",
    "crdtqueue/peer/history_keeper.py": "tests/api/test_print_history.py",
    "crdtqueue/peer/peer_link.py": "tests/peer/test_lan_queue.py",
    "crdtqueue/peer/queue_links.py": "tests/peer/test_lan_queue.py",
    "crdtqueue/peer/queue_listener.py": "tests/peer/test_claims_runner.py",
    "crdtqueue/peer/queue_sync.py": "tests/peer/test_lan_queue.py",
    "printer_driver/clock.py": "tests/peer/test_suspend.py",
    "printer_driver/core/streaming/stream_events.py": (
        "tests/printer_driver/core/streaming/test_streamer.py"
    ),
    "printer_driver/errors.py": "tests/printer_driver/test_protocol.py",
    "printer_driver/printer.py": "tests/printer_driver/test_protocol.py",
    "plugin/octoprint_crdtqueue/live_state.py": "tests/plugin/test_tab.py",
    "plugin/octoprint_crdtqueue/local_jobs.py": "tests/plugin/test_routes.py",
    "plugin/octoprint_crdtqueue/peer_client.py": "tests/plugin/test_peer_service.py",
    "plugin/octoprint_crdtqueue/peer_file.py": "tests/plugin/test_supervisor.py",
    "plugin/octoprint_crdtqueue/peer_process.py": "tests/plugin/test_supervisor.py",
    "plugin/octoprint_crdtqueue/private_files.py": "tests/plugin/test_pending.py",
}
"""Modules whose tests stand in a file of another name, and the most telling one of those."""


def without_test() -> set[str]:
    found = set()
    for package, tests in MIRRORS.items():
        for module in (ROOT / package).rglob("*.py"):
            folder = ROOT / tests / module.parent.relative_to(ROOT / package)
            is_entry = module.stem in {"__init__", "__main__"}
            if not is_entry and not any(folder.glob(f"test_{module.stem}*.py")):
                found.add(module.relative_to(ROOT).as_posix())
    return found


def test_a_module_has_a_test_of_its_name_or_is_named_here() -> None:
    assert without_test() == set(COVERED_ELSEWHERE)


@pytest.mark.parametrize("test", sorted(set(COVERED_ELSEWHERE.values())))
def test_the_named_test_exists(test: str) -> None:
    assert (ROOT / test).is_file()
