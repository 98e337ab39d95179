"""The page in a real browser: what it shows, what it sends, and how it bears a lost peer."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.harness.page_steps import (
    ViewSteps,
    open_view,
)
from tests.harness.sample_state import (
    history_entry,
    job,
    print_set,
    printer,
    queue,
    state,
)
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

DATA = Path(__file__).parent.parent / "data" / "gcode"
HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'
PHONE_PX = 360
WATCHDOG_MS = 16_000


@pytest.fixture
def without_profile(tmp_path: Path) -> Path:
    """A g-code file that does not say which printer it is made for."""
    file = tmp_path / "old_pin.gcode"
    file.write_text("G28\nG1 X10 Y10 E1\n")
    return file


def test_printers_are_shown_with_what_they_do(view: ViewSteps) -> None:
    own = view.printer("mk3s-left")
    expect(own).to_contain_text("Printing pin_mk3s.gcode.")
    expect(own).to_contain_text("215 / 215 °C")
    expect(own).to_contain_text("30 min so far, about 42 min left")
    expect(own.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    expect(view.printer("ender")).to_contain_text("Last heard of 6 min ago.")
    expect(view.page.locator(".printer")).to_have_count(3)


def test_only_the_own_printer_has_buttons(view: ViewSteps) -> None:
    expect(view.printer("mk3s-left").get_by_role("button")).to_have_count(4)
    expect(view.printer("mini").get_by_role("button")).to_have_count(0)


def test_jobs_are_shown_with_their_state_and_why(view: ViewSteps) -> None:
    pins = view.job("Hinge pins")
    expect(pins).to_contain_text("mk3s-left is printing copy 2 of 3.")
    expect(pins).to_contain_text("1 of 3 copies")
    expect(pins.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    expect(pins).to_contain_text("The submitter may be switched off")
    expect(view.job("Shelf bracket")).to_contain_text("Keep workshop-laptop on")
    expect(view.queue("workshop")).to_contain_text("Open: anyone on this network can use it")


def test_done_jobs_are_folded_away(view: ViewSteps) -> None:
    expect(view.job("Lamp foot")).to_be_hidden()
    view.page.get_by_text("1 job done").click()
    expect(view.job("Lamp foot")).to_be_visible()


def test_a_change_is_shown_live_and_leaves_the_focus_where_it_is(
    view: ViewSteps, peer: StandInPeer
) -> None:
    pause = view.job("Shelf bracket").get_by_role("button", name="Pause")
    pause.focus()
    peer.change(lambda state: state["printer"].update(progress=0.5, text="Half way."))
    expect(view.printer("mk3s-left")).to_contain_text("Half way.")
    peer.change(lambda state: state["queues"][0]["jobs"].reverse())
    expect(view.page.locator(".jobs").first.get_by_role("heading").first).to_have_text(
        "Calibration cube"
    )
    expect(view.page.locator(".printer").first).to_contain_text("50 %")
    expect(pause).to_be_focused()


def test_files_are_uploaded_and_become_one_job(
    view: ViewSteps, peer: StandInPeer, without_profile: Path
) -> None:
    dialog = view.pick_files("workshop", [DATA / "pin_mk3s.gcode", without_profile])
    rows = dialog.locator(".upload")
    expect(rows.first.locator(".chip")).to_have_text("MK3S")
    expect(dialog).to_contain_text("Open: anyone on this network can use it")
    dialog.get_by_label("Profile of old_pin.gcode").fill("ENDER3")
    rows.nth(1).get_by_label("Copies").fill("4")
    dialog.get_by_label("Job name").fill("Six pins")
    view.add_to_queue()
    expect(view.job("Six pins")).to_contain_text("old_pin.gcode")
    [sent] = peer.bodies
    assert (sent["name"], sent["runs"]) == ("Six pins", 1)
    assert [(s["name"], s["copies"], s["profiles"]) for s in sent["sets"]] == [
        ("pin_mk3s.gcode", 1, ["MK3S"]),
        ("old_pin.gcode", 4, ["ENDER3"]),
    ]


def test_a_file_without_a_profile_is_not_added_before_it_has_one(
    view: ViewSteps, peer: StandInPeer, without_profile: Path
) -> None:
    dialog = view.pick_files("workshop", [without_profile])
    expect(dialog.get_by_label("Profile of old_pin.gcode")).to_be_visible()
    view.press(dialog, "Add to queue")
    expect(dialog).to_be_visible()
    assert peer.bodies == []


def test_a_file_that_is_no_gcode_stays_here_and_says_so(
    view: ViewSteps, peer: StandInPeer, tmp_path: Path
) -> None:
    model = tmp_path / "pin.stl"
    model.write_bytes(b"solid pin")
    dialog = view.pick_files("workshop", [model])
    expect(dialog).to_contain_text("Slice it first")
    expect(dialog.get_by_role("button", name="Add to queue")).to_be_disabled()
    assert peer.calls == []


def test_a_refused_upload_can_be_tried_again(view: ViewSteps, peer: StandInPeer) -> None:
    peer.refuse = "The disk is full. Delete jobs that are done."
    dialog = view.pick_files("workshop", [DATA / "pin_mk3s.gcode"])
    expect(dialog).to_contain_text(peer.refuse)
    peer.refuse = ""
    view.press(dialog, "Try again")
    view.add_to_queue()
    expect(view.job("pin_mk3s")).to_be_visible()


def test_files_can_be_dropped_on_a_queue(view: ViewSteps) -> None:
    data = view.page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["; printer_model = MK3S\\nG28\\n"], "dropped.gcode"));
          return data;
        }"""
    )
    target = view.queue("workshop")
    target.dispatch_event("dragover", {"dataTransfer": data})
    expect(target).to_have_class(re.compile("target"))
    target.dispatch_event("drop", {"dataTransfer": data})
    expect(view.dialog()).to_contain_text("dropped.gcode")
    view.add_to_queue()
    expect(view.job("dropped")).to_be_visible()


def test_a_job_is_paused_and_resumed(view: ViewSteps) -> None:
    view.press(view.job("Shelf bracket"), "Pause")
    expect(view.job("Shelf bracket").locator(".pill")).to_have_text("Paused")
    expect(view.job("Shelf bracket").get_by_role("button", name="Resume")).to_be_focused()
    view.press(view.job("Shelf bracket"), "Resume")
    expect(view.job("Shelf bracket").locator(".pill")).to_have_text("Waiting")


def test_a_refusal_is_shown_as_the_peer_said_it(view: ViewSteps, peer: StandInPeer) -> None:
    peer.refuse = "The disk does not take the change. Make room on it."
    view.choose("Hinge pins", "Duplicate")
    alert = view.page.get_by_role("alert").filter(has_text=peer.refuse)
    expect(alert).to_be_visible()
    view.press(alert, "Close this message")
    expect(view.page.get_by_text(peer.refuse)).to_have_count(0)


def test_the_bed_is_cleared(view: ViewSteps, peer: StandInPeer) -> None:
    waiting = printer(state="waiting_for_bed", bed_clear=False, text="Take the print off the bed.")
    peer.change(lambda state: state.update(printer=waiting))
    view.clear_bed("mk3s-left")
    expect(view.printer("mk3s-left").locator(".pill")).to_have_text("Idle")
    view.until(lambda: peer.calls == ["POST printer/bed-clear"])


def test_the_own_print_is_paused_resumed_and_cancelled(view: ViewSteps, peer: StandInPeer) -> None:
    own = view.printer("mk3s-left")
    view.press(own, "Pause")
    view.press(own, "Resume")
    view.press(own, "Cancel print")
    view.press(view.dialog(), "Cancel print")
    expect(own.locator(".pill")).to_have_text("Cancelling")
    view.until(
        lambda: peer.calls == [f"POST printer/{verb}" for verb in ("pause", "resume", "cancel")]
    )


def test_managing_is_stopped_and_started(view: ViewSteps, peer: StandInPeer) -> None:
    own = view.printer("mk3s-left")
    view.press(own, "Stop managing")
    view.press(own, "Start managing")
    expect(own.get_by_role("button", name="Stop managing")).to_be_visible()
    view.until(lambda: peer.calls == ["POST printer/managing"] * 2)


def test_a_queue_is_made_and_left(view: ViewSteps, peer: StandInPeer) -> None:
    view.new_queue("attic & cellar", peers="10.0.0.7:7420\n\n mini.local:7420 \n")
    expect(view.queue("attic & cellar")).to_contain_text("Drop g-code files here or press Add.")
    assert peer.bodies == [
        {"name": "attic & cellar", "peers": ["10.0.0.7:7420", "mini.local:7420"]}
    ]
    view.press(view.queue("attic & cellar"), "Leave")
    view.press(view.dialog(), "Leave queue")
    expect(view.queue("attic & cellar")).to_have_count(0)


def test_names_from_others_stay_text(browser: Browser, peer: StandInPeer) -> None:
    sets = [print_set(HOSTILE, HOSTILE)]
    hostile = job(1, HOSTILE, why=HOSTILE, created_by=HOSTILE, state=HOSTILE, sets=sets)
    own = printer(name=HOSTILE, text=HOSTILE, state=HOSTILE)
    peer.state = state(own, [queue(HOSTILE, [], [hostile])], name=HOSTILE, problems=[HOSTILE])
    with open_view(browser, peer.url) as view:
        expect(view.job(HOSTILE)).to_be_visible()
        expect(view.page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        assert view.page.locator("img").count() == 0
        assert view.page.locator("crdtqueue-view script").count() == 0
        assert view.page.title() != "owned"


def test_a_state_that_is_not_understood_is_said_and_got_over(
    browser: Browser, peer: StandInPeer
) -> None:
    page = browser.new_page()
    view = ViewSteps(page)
    view.open(peer.url)
    peers = peer.queue("workshop").pop("peers")
    peer.change(lambda state: state["peer"].update(problems=[]))
    expect(page.get_by_text("cannot show all that the peer sent")).to_be_visible()
    expect(view.lost_banner()).to_be_hidden()
    peer.change(lambda state: state["queues"][0].update(peers=peers, name="back"))
    expect(view.queue("back")).to_be_visible()
    page.close()


def test_a_lost_peer_is_said_and_found_again(view: ViewSteps, peer: StandInPeer) -> None:
    expect(view.lost_banner()).to_be_hidden()
    peer.stop()
    expect(view.lost_banner()).to_contain_text("trying again")
    expect(view.page.locator(".content")).to_have_class(re.compile("stale"))
    peer.change(lambda state: state["printer"].update(text="Back again."))
    peer.start()
    expect(view.printer("mk3s-left")).to_contain_text("Back again.")
    expect(view.lost_banner()).to_be_hidden()
    expect(view.page.locator(".content")).not_to_have_class(re.compile("stale"))


def test_silence_counts_as_a_lost_peer(browser: Browser, peer: StandInPeer) -> None:
    page = browser.new_page()
    page.clock.install()
    view = ViewSteps(page)
    view.open(peer.url)
    peer.silent = True
    page.wait_for_timeout(100)
    page.clock.fast_forward(WATCHDOG_MS)
    expect(view.lost_banner()).to_be_visible()
    peer.silent = False
    page.clock.fast_forward(WATCHDOG_MS)
    expect(view.lost_banner()).to_be_hidden()
    page.close()


def test_the_styles_of_the_page_around_stay_outside(browser: Browser, peer: StandInPeer) -> None:
    page = browser.new_page(bypass_csp=True)
    view = ViewSteps(page)
    view.open(peer.url)
    look = "node => ['font', 'color', 'letterSpacing'].map(name => getComputedStyle(node)[name])"
    button = view.queue("workshop").get_by_role("button", name="Add")
    before = [each.evaluate(look) for each in (view.job("Hinge pins"), button)]
    page.add_style_tag(content="* { font: 30px serif; color: red; letter-spacing: 9px }")
    assert [each.evaluate(look) for each in (view.job("Hinge pins"), button)] == before
    page.close()


def test_empty_states_say_what_to_do_next(view: ViewSteps, peer: StandInPeer) -> None:
    peer.change(lambda now: now.update(state(None, [])))
    expect(view.page.get_by_text("No printers in sight.")).to_be_visible()
    expect(view.page.get_by_text("This peer has no queue yet.")).to_be_visible()


def test_an_upgraded_peer_asks_for_a_reload(view: ViewSteps, peer: StandInPeer) -> None:
    peer.change(lambda state: state["peer"].update(version="0.2.0"))
    expect(view.page.get_by_text("This peer was upgraded.")).to_be_visible()


def test_a_phone_needs_no_sideways_scrolling(
    browser: Browser, peer: StandInPeer, without_profile: Path
) -> None:
    long = "a_very_long_file_name_without_any_blank_in_it" * 4
    jobs = peer.queue("workshop")["jobs"]
    peer.history = [history_entry(1, long, file_name=long, reason=long, printer_name=long)]
    jobs.append(job(9, long, why=long, created_by=long, sets=[print_set(long, long[:64])]))
    with open_view(browser, peer.url, width=PHONE_PX) as view:
        expect(view.job(long)).to_be_visible()
        assert view.overflow_px() == 0
        dialog = view.pick_files("workshop", [without_profile])
        expect(dialog.get_by_label("Profile of old_pin.gcode")).to_be_visible()
        assert view.overflow_px() == 0
        box = dialog.bounding_box()
        assert box is not None
        assert box["width"] < PHONE_PX
        view.press(dialog, "Close")
        view.edit(long)
        assert view.overflow_px() == 0
        assert view.overflow_px(inside="dialog[open]") == 0
        view.done()
        expect(view.show_history()).to_contain_text("1 print")
        assert view.overflow_px(inside="dialog[open]") == 0
        view.press(view.dialog(), "Close")
        view.press(view.queue("workshop"), "Settings")
        view.dialog().get_by_label("Safe.").check()
        assert view.overflow_px(inside="dialog[open]") == 0
        view.press(view.dialog(), "Close")
        view.choose_for_printer("mk3s-left", "Scripts")
        view.dialog().locator("summary").first.click()
        assert view.overflow_px(inside="dialog[open]") == 0
