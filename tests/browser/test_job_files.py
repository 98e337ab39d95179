"""Jobs come in and go out as .gjob files."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.harness.page_steps import ViewSteps
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    file = tmp_path / "Vase & foot.gjob"
    file.write_bytes(b"PK the stand-in does not look into it")
    return file


def test_a_chosen_job_file_becomes_a_job(
    view: ViewSteps, peer: StandInPeer, job_file: Path
) -> None:
    view.pick_files("workshop", [job_file])
    expect(view.job("Vase & foot.gjob")).to_be_visible()
    expect(view.page.get_by_text("Vase & foot.gjob is a job of workshop now.")).to_be_visible()
    expect(view.dialog()).to_have_count(0)
    view.until(lambda: peer.calls == ["POST queues/workshop/gjob"])
    assert peer.bodies == [job_file.read_bytes()]


def test_a_dropped_job_file_becomes_a_job(view: ViewSteps, peer: StandInPeer) -> None:
    data = view.page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["PK"], "Dropped.GJOB"));
          data.items.add(new File(["; printer_model = MK3S\\nG28\\n"], "pin.gcode"));
          return data;
        }"""
    )
    view.queue("workshop").dispatch_event("drop", {"dataTransfer": data})
    expect(view.job("Dropped.GJOB")).to_be_visible()
    expect(view.dialog().locator(".upload .file")).to_have_text(["pin.gcode"])


def test_a_refused_job_file_is_said_with_its_name(
    view: ViewSteps, peer: StandInPeer, job_file: Path
) -> None:
    peer.refuse = "There is no manifest in it."
    view.pick_files("workshop", [job_file])
    alert = view.page.get_by_role("alert").filter(has_text=f"{job_file.name}: {peer.refuse}")
    expect(alert).to_be_visible()
    expect(view.page.get_by_text("Importing")).to_have_count(0)


def test_a_job_is_exported_under_its_name(view: ViewSteps, peer: StandInPeer) -> None:
    peer.job_file = b"PK all of it"
    with view.page.expect_download() as download:
        view.choose("Shelf bracket", "Export as .gjob")
    assert download.value.suggested_filename == "Shelf bracket.gjob"
    assert download.value.path().read_bytes() == peer.job_file


def test_why_a_job_cannot_be_exported_is_said(view: ViewSteps, peer: StandInPeer) -> None:
    peer.job_file = None
    view.choose("Shelf bracket", "Export as .gjob")
    expect(view.page.get_by_role("alert").filter(has_text="is not here")).to_be_visible()
