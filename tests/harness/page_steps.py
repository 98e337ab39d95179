"""What a person does with the page and sees on it, whichever peer serves it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.harness.patience import HANG_S, LOOK_S, looks


class ViewSteps:
    """Drives one open page; playwright's locators look into the shadow root by themselves."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text and "net::ERR" not in text:
            self.complaints.append(text)

    def open(self, url: str) -> None:
        self.page.goto(url)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something is so outside the page, such as what the peer was asked."""
        for _ in looks(HANG_S):
            if condition():
                return
            self.page.wait_for_timeout(LOOK_S * 1000)
        raise AssertionError("never came to be so")

    def printer(self, name: str) -> Locator:
        heading = self.page.get_by_role("heading", name=name, exact=True, level=3)
        return self.page.locator(".printer", has=heading)

    def queue(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=f"Queue {name}")

    def job(self, name: str) -> Locator:
        return self.page.locator(
            ".job", has=self.page.get_by_role("heading", name=name, exact=True)
        )

    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def press(self, inside: Locator, label: str) -> None:
        inside.get_by_role("button", name=label).click()

    def pick_files(self, queue: str, files: list[Path]) -> Locator:
        """Opens the dialog of `queue` and picks `files`; returns the dialog."""
        self.press(self.queue(queue), "Add")
        self.dialog().locator("input[type=file]").set_input_files(files)
        return self.dialog()

    def add_to_queue(self) -> None:
        self.press(self.dialog(), "Add to queue")
        expect(self.dialog()).to_have_count(0)

    def new_queue(self, name: str, *, peers: str = "") -> None:
        self.page.get_by_role("button", name="New queue").first.click()
        self.dialog().get_by_label("Name").fill(name)
        self.dialog().get_by_label("Other peers").fill(peers)
        self.press(self.dialog(), "Make queue")
        expect(self.dialog()).to_have_count(0)

    def choose(self, job: str, item: str) -> None:
        """Opens the menu of a job and chooses from it."""
        self.press(self.job(job), "More")
        self.page.get_by_role("menuitem", name=item).click()

    def choose_for_printer(self, printer: str, item: str) -> None:
        """Opens the menu of the own printer and chooses from it."""
        self.press(self.printer(printer), "More")
        self.page.get_by_role("menuitem", name=item).click()

    def delete_job(self, name: str, *, answer: str = "Delete job") -> None:
        self.choose(name, "Delete")
        self.press(self.dialog(), answer)
        expect(self.dialog()).to_have_count(0)

    def edit(self, job: str) -> Locator:
        """Opens the edit of a job; returns the dialog."""
        self.press(self.job(job), "Edit")
        expect(self.dialog().get_by_label("Job name")).to_be_visible()
        return self.dialog()

    def done(self) -> None:
        """Ends an edit."""
        self.press(self.dialog(), "Done")
        expect(self.dialog()).to_have_count(0)

    def show_history(self) -> Locator:
        self.page.get_by_role("button", name="History").click()
        return self.dialog()

    def jobs_of(self, queue: str) -> list[str]:
        """What is still to be printed, as it is shown."""
        return self.queue(queue).locator(".jobs:not(.done .jobs) h3").all_inner_texts()

    def lift(self, grip: Locator) -> None:
        """Takes an item by its grip; `drag_to` moves it on, and `drop` lets it go."""
        grip.scroll_into_view_if_needed()
        grip.hover()
        self.page.mouse.down()

    def drag_to(self, target: Locator, *, part: float) -> None:
        """Moves to a place in `target`, from 0 at its top to 1 at its bottom."""
        box = target.bounding_box()
        assert box is not None
        x, y = box["x"] + 40, box["y"] + part * box["height"]
        self.page.mouse.move(x, y, steps=5)

    def drop(self) -> None:
        self.page.mouse.up()

    def drag_job(self, name: str, target: Locator, *, part: float) -> None:
        self.lift(self.job(name).locator(".grip"))
        self.drag_to(target, part=part)
        self.drop()

    def clear_bed(self, printer: str) -> None:
        self.press(self.printer(printer), "Bed is clear")

    def lost_banner(self) -> Locator:
        return self.page.get_by_role("alert").filter(has_text="No connection to this peer")

    def overflow_px(self, inside: str = "html") -> int:
        """How far the page, or what this selector names, can be scrolled sideways."""
        width: int = self.page.locator(inside).evaluate(
            "node => node.scrollWidth - node.clientWidth"
        )
        return width


@contextmanager
def open_view(browser: Browser, url: str, *, width: int = 1200) -> Iterator[ViewSteps]:
    """A page of its own at `url`; at the end nothing may have gone wrong in its scripts."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(HANG_S * 1000)
    steps = ViewSteps(page)
    steps.open(url)
    yield steps
    assert steps.complaints == []
    page.close()
