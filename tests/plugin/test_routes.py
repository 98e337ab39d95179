"""Who may do what over HTTP, in a real OctoPrint."""

import json
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.harness.octoprint_server import (
    PASSWORD,
    USER,
    need_octoprint,
)
from tests.harness.octoprint_with_plugin import (
    NAME,
    OctoPi,
)
from tests.harness.patience import HANG_S
from tests.harness.peer_processes import GCODE

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_ender3.gcode"
OPTIONS: dict[str, Any] = {"proxy": None, "close_timeout": 1.0}
SILENT_S = 2.0
"""The plugin says the same to all at once."""
"""Something is pushed every 5 s."""


@pytest.fixture(scope="module")
def octopi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPi]:
    need_octoprint()
    octopi = OctoPi(tmp_path_factory.mktemp("octopi"))
    try:
        yield octopi.start()
    finally:
        octopi.octoprint.stop()


@pytest.fixture(scope="module")
def guest(octopi: OctoPi) -> str:
    return octopi.add_guest()


@pytest.fixture(scope="module")
def admin(octopi: OctoPi) -> str:
    return octopi.octoprint.key


def sentence(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


def form() -> dict[str, Any]:
    return {"files": {"file": ("pin.gcode", PIN.read_bytes())}}


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "api/queues", {"json": {"name": "w", "peers": []}}),
    ("DELETE", "api/queues/w", {}),
    ("POST", "api/queues/local/jobs", {"json": {}}),
    ("DELETE", "api/queues/local/jobs/1", {}),
    ("POST", "api/queues/local/jobs/1/pause", {}),
    ("PATCH", "api/queues/local/jobs/1", {"json": {"name": "x"}}),
    ("DELETE", "api/queues/local/jobs/1?after_copy=true", {}),
    ("PUT", "api/queues/local/jobs/1/draft", {}),
    ("DELETE", "api/queues/local/jobs/1/draft", {}),
    ("PATCH", "api/queues/local/jobs/1/sets/2", {"json": {"copies": 2}}),
    ("POST", "api/queues/local/gjob", form()),
    ("POST", "api/history/print-again", {"json": {"print_id": "1", "queue": "local"}}),
    ("POST", "api/printer/bed-clear", {}),
    ("POST", "api/printer/managing", {"json": {"managing": False}}),
    ("POST", "api/printer/loaded", {"json": {"materials": ["PLA"]}}),
    ("PUT", "api/printer/scripts/waiting", {"json": {"gcode": "M300"}}),
    ("DELETE", "api/printer/scripts/waiting", {}),
    ("PATCH", "api/queues/local", {"json": {"strategy": "least-changes"}}),
    ("POST", "api/queues/local/jobs/1/lost", {}),
    ("POST", "api/store/accept-damage", {}),
    ("POST", "api/files", form()),
    ("POST", "api/stored-files", {"json": {"path": "pin.gcode"}}),
    ("POST", "add-local", {"json": {"path": "pin.gcode"}}),
    ("POST", "api/start", {}),
    ("POST", "api/check", {"json": {}}),
]


@pytest.mark.parametrize(("method", "path", "fields"), CHANGES)
def test_who_may_only_look_changes_nothing(
    octopi: OctoPi, guest: str, method: str, path: str, fields: dict[str, Any]
) -> None:
    assert octopi.ask("GET", "api/state", guest).status_code == 200
    for key in (guest, None):
        answer = octopi.ask(method, path, key, **fields)
        assert answer.status_code == (403 if key else 400)  # No key, no token: OctoPrint's check.
    assert "ask an administrator" in sentence(octopi.ask(method, path, guest, **fields)).lower()
    assert octopi.view()["state"]["printer"]["managing"] is True


@pytest.fixture(scope="module")
def operator(octopi: OctoPi) -> str:
    """The application key of a user who may manage the queue, but not change settings."""
    rights = ["STATUS", "PLUGIN_CRDTQUEUE_VIEW", "PLUGIN_CRDTQUEUE_MANAGE"]
    user = {"name": "operator", "password": PASSWORD, "active": True, "groups": []}
    user |= {"permissions": rights, "admin": False}
    octopi.octoprint.request("POST", "/api/access/users", json=user)
    made = octopi.octoprint.request("POST", "/api/access/users/operator/apikey")
    return str(made.json()["apikey"])


def test_scripts_and_settings_of_queues_are_for_who_may_change_settings(
    octopi: OctoPi, operator: str, admin: str
) -> None:
    script, queue = "api/printer/scripts/waiting", "api/queues/local"
    strategy = {"json": {"strategy": "least-changes"}}
    asked = [("PUT", script, {"json": {"gcode": "M300"}}), ("PATCH", queue, strategy)]
    for method, path, fields in [*asked, ("DELETE", script, {})]:
        assert octopi.ask(method, path, operator, **fields).status_code == 403
    assert octopi.ask("GET", "api/printer/scripts", admin).json() == {}
    for method, path, fields in asked:
        assert octopi.ask(method, path, admin, **fields).status_code == 204
    assert octopi.ask("GET", "api/printer/scripts", operator).json() == {"waiting": "M300"}
    octopi.octoprint.wait(lambda: octopi.queue("local")["strategy"] == "least-changes")
    wrong = octopi.ask("PUT", script, admin, json={"gcode": "Dear printer"})
    assert wrong.status_code == 422
    assert "cannot be run" in sentence(wrong)
    assert octopi.ask("DELETE", script, admin).status_code == 204


def test_who_may_manage_says_what_is_loaded(octopi: OctoPi, operator: str, guest: str) -> None:
    for materials in (["PLA"], None):
        said = octopi.ask("POST", "api/printer/loaded", operator, json={"materials": materials})
        assert said.status_code == 204
    assert octopi.ask("GET", "api/printer/scripts", guest).status_code == 200
    assert octopi.ask("GET", "api/printer/scripts", None).status_code == 403


def test_strangers_do_not_even_see_the_queue(octopi: OctoPi) -> None:
    assert octopi.ask("GET", "api/state", None).status_code == 403


def test_a_page_of_another_site_cannot_use_a_visitors_login(octopi: OctoPi) -> None:
    with httpx.Client(base_url=octopi.octoprint.url) as browser:
        browser.get("/login/")

        def token() -> dict[str, str]:
            (cookie,) = (c.value for c in browser.cookies.jar if c.name.startswith("csrf_token"))
            return {"X-CSRF-Token": str(cookie)}

        login = {"user": USER, "pass": PASSWORD}
        assert browser.post("/api/login", json=login, headers=token()).status_code == 200
        url, change = "/plugin/crdtqueue/api/printer/managing", {"managing": True}
        assert browser.post(url, json=change).status_code == 400
        assert browser.post(url, json=change, headers=token()).status_code == 204


def test_a_file_is_uploaded_as_a_form_and_becomes_a_job(octopi: OctoPi, admin: str) -> None:
    uploaded = octopi.ask("POST", "api/files?name=my%20pin.gcode", admin, **form())
    assert uploaded.status_code == 201
    file = uploaded.json()
    assert (file["name"], file["profile"]) == ("my pin.gcode", "ENDER3")
    part = {"sha256": file["sha256"], "name": file["name"], "profiles": ["ENDER3"]}
    job = {"name": "a job", "sets": [part]}
    added = octopi.ask("POST", "api/queues/local/jobs", admin, json=job)
    assert added.status_code == 201
    octopi.octoprint.wait(lambda: octopi.queue("local")["jobs"] != [])
    path = f"api/queues/local/jobs/{added.json()['id']}"
    assert octopi.ask("DELETE", path, admin).status_code == 204


@pytest.fixture
def job(octopi: OctoPi, admin: str) -> Iterator[str]:
    """A job in `local`; its path."""
    sha256 = octopi.ask("POST", "api/files?name=pin.gcode", admin, **form()).json()["sha256"]
    part = {"sha256": sha256, "name": "pin.gcode", "profiles": ["ENDER3"]}
    new = {"name": "to edit", "sets": [part]}
    made = octopi.ask("POST", "api/queues/local/jobs", admin, json=new).json()["id"]
    yield f"api/queues/local/jobs/{made}"
    octopi.ask("DELETE", f"api/queues/local/jobs/{made}", admin)


def shown(octopi: OctoPi, path: str) -> dict[str, Any]:
    jobs = octopi.queue("local")["jobs"]
    return next((job for job in jobs if path.endswith(job["id"])), {})


def test_a_job_is_edited_through_octoprint(octopi: OctoPi, admin: str, job: str) -> None:
    assert octopi.ask("PUT", f"{job}/draft", admin).status_code == 204
    octopi.octoprint.wait(lambda: bool(shown(octopi, job).get("draft")))
    assert octopi.ask("PATCH", job, admin, json={"name": "edited"}).status_code == 204
    part = shown(octopi, job)["sets"][0]["id"]
    answer = octopi.ask("PATCH", f"{job}/sets/{part}", admin, json={"copies": 7})
    assert answer.status_code == 204
    assert octopi.ask("DELETE", f"{job}/draft", admin).status_code == 204
    octopi.octoprint.wait(lambda: shown(octopi, job)["draft"] is None)
    assert shown(octopi, job)["name"] == "edited"
    assert shown(octopi, job)["sets"][0]["copies"] == 7
    wrong = octopi.ask("PATCH", job, admin, json={"runs": -1})
    assert wrong.status_code == 422
    assert "runs" in sentence(wrong)


def test_a_job_goes_out_as_a_file_and_comes_in_again(
    octopi: OctoPi, admin: str, guest: str, job: str
) -> None:
    exported = octopi.ask("GET", f"{job}/gjob", guest)
    assert exported.status_code == 200
    assert exported.headers["content-disposition"].startswith("attachment")
    assert exported.content.startswith(b"PK")
    assert octopi.ask("GET", f"{job}/gjob", None).status_code == 403
    sent = {"files": {"file": ("x.gjob", exported.content)}}
    made = octopi.ask("POST", "api/queues/local/gjob?name=x.gjob", admin, **sent)
    assert made.status_code == 201
    path = f"api/queues/local/jobs/{made.json()['id']}"
    octopi.octoprint.wait(lambda: shown(octopi, path) != {})
    assert shown(octopi, path)["name"] == "to edit"
    assert octopi.ask("DELETE", path, admin).status_code == 204
    broken = {"files": {"file": ("x.gjob", b"no archive")}}
    answer = octopi.ask("POST", "api/queues/local/gjob?name=x.gjob", admin, **broken)
    assert answer.status_code == 422
    assert sentence(answer)


def test_who_may_look_sees_the_history(octopi: OctoPi, guest: str) -> None:
    assert octopi.ask("GET", "api/history?text=pin&limit=5", guest).json()["entries"] == []
    wrong = octopi.ask("GET", "api/history?result=eaten", guest)
    assert wrong.status_code == 422
    csv = octopi.ask("GET", "api/history.csv", guest)
    assert csv.headers["content-type"].startswith("text/csv")
    assert "history.csv" in csv.headers["content-disposition"]
    for path in ("api/history", "api/history.json"):
        assert octopi.ask("GET", path, None).status_code == 403


def test_a_file_that_is_no_form_is_refused(octopi: OctoPi, admin: str) -> None:
    answer = octopi.ask("POST", "api/files?name=x.gcode", admin, content=b"G28\n")
    assert answer.status_code == 422
    assert "form" in sentence(answer)


def test_what_the_peer_refuses_keeps_its_sentence(octopi: OctoPi, admin: str) -> None:
    answer = octopi.ask("POST", "api/queues", admin, json={"name": "a/b"})
    assert answer.status_code == 422
    assert "no slash" in sentence(answer)


def test_a_stored_file_is_added_by_a_program(octopi: OctoPi, admin: str) -> None:
    octopi.octoprint.upload("for a program.gcode", PIN.read_bytes())
    (name,) = (path.name for path in octopi.octoprint.uploads.glob("for*program.gcode"))
    wanted = {"path": name, "copies": 2, "name": "by a program"}
    added = octopi.ask("POST", "add-local", admin, json=wanted)
    assert added.status_code == 201

    def jobs() -> list[dict[str, Any]]:
        return [j for j in octopi.queue("local")["jobs"] if j["id"] == added.json()["id"]]

    octopi.octoprint.wait(lambda: jobs() != [])
    assert (jobs()[0]["name"], jobs()[0]["copies_total"]) == ("by a program", 2)


@pytest.mark.parametrize(
    "path", ["none.gcode", "../users.yaml", "../config.yaml", "../x.gcode", "/etc/passwd", "", "a/"]
)
def test_only_files_of_octoprints_can_be_added(octopi: OctoPi, admin: str, path: str) -> None:
    (octopi.octoprint.basedir / "x.gcode").write_text("G28\n")
    for target in ("add-local", "api/stored-files"):
        answer = octopi.ask("POST", target, admin, json={"path": path})
        assert answer.status_code == 422
        assert sentence(answer)


@pytest.mark.parametrize("path", ["api/events", "api/no/such", "api/queues/../state"])
def test_what_is_not_there(octopi: OctoPi, admin: str, path: str) -> None:
    assert octopi.ask("DELETE", path, admin).status_code in {404, 405}


def test_the_files_of_the_view_have_the_types_that_browsers_insist_on(octopi: OctoPi) -> None:
    kinds = {"crdtqueue-view.js": "text/javascript", "styles/base.css": "text/css"}
    for name, kind in kinds.items():
        answer = octopi.ask("GET", f"view/{name}", None)
        assert answer.headers["content-type"].startswith(kind)
    assert octopi.ask("GET", "view/../__init__.py", None).status_code == 404
    assert octopi.ask("GET", "view/%2e%2e/__init__.py", None).status_code == 404


def test_the_peer_has_a_user_of_its_own_with_few_rights(octopi: OctoPi) -> None:
    (user,) = (
        user
        for user in octopi.octoprint.get("/api/access/users")["users"]
        if user["name"] == "crdtqueue"
    )
    assert user["active"]
    assert user["groups"] == []
    assert "PRINT" in user["permissions"]
    key_file = octopi.data / "octoprint-key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    headers = {"X-Api-Key": key_file.read_text()}
    url = octopi.octoprint.url
    assert httpx.get(f"{url}/api/job", headers=headers).status_code == 200
    assert httpx.get(f"{url}/api/settings", headers=headers).status_code == 403
    assert httpx.get(f"{url}/api/access/users", headers=headers).status_code == 403


def test_only_who_may_see_the_queue_is_told_of_changes(octopi: OctoPi, guest: str) -> None:
    octopi.octoprint.request(
        "POST",
        "/api/access/groups",
        json={"key": "clerks", "name": "Clerks", "description": "", "permissions": ["STATUS"]}
        | {"subgroups": [], "default": False},
    )
    clerk = {"name": "clerk", "password": PASSWORD, "active": True, "groups": ["clerks"]}
    octopi.octoprint.request("POST", "/api/access/users", json=clerk | {"permissions": []})
    made = octopi.octoprint.request("POST", "/api/access/users/clerk/apikey").json()
    with listening(octopi, made["apikey"]) as other, listening(octopi, guest) as allowed:
        assert "state" in next_plugin_message(allowed, HANG_S)
        assert next_plugin_message(other, SILENT_S) is None


def save(octopi: OctoPi, **fields: Any) -> dict[str, Any]:
    """Saves settings as the dialog does; returns what is stored then."""
    settings = {"plugins": {"crdtqueue": fields}}
    answer = octopi.octoprint.request("POST", "/api/settings", json=settings)
    stored: dict[str, Any] = answer.json()["plugins"]["crdtqueue"]
    return stored


def test_settings_that_make_no_sense_are_not_stored_whoever_sends_them(octopi: OctoPi) -> None:
    before = octopi.pids()
    for wrong in (
        {"port": 80},
        {"name": "x" * 300},
        {"queue_changes": [{"name": "a/b"}], "name": "new"},
        {"queue_changes": "x", "name": "new"},
    ):
        stored = save(octopi, **wrong)
        assert (stored["port"], stored["name"]) == (octopi.peer_port, NAME)
    assert octopi.pids() == before
    assert octopi.queue("a/b") == {"jobs": []}


def test_queues_are_changed_by_saving(octopi: OctoPi) -> None:
    added = [{"name": "from a program", "addresses": "127.0.0.1:1 auto"}]
    assert save(octopi, queue_changes=added)["queue_changes"] == []
    octopi.octoprint.wait(lambda: "name" in octopi.queue("from a program"))
    save(octopi, queue_changes=[{"name": "from a program", "leave": True}])
    octopi.octoprint.wait(lambda: "name" not in octopi.queue("from a program"))
    save(octopi, queue_changes=[{"name": "LOCAL thing"}, {"name": "local thing 2"}])
    octopi.octoprint.wait(lambda: "name" in octopi.queue("local thing 2"))


@contextmanager
def listening(octopi: OctoPi, key: str) -> Iterator[ClientConnection]:
    """A client of OctoPrint's push API, https://docs.octoprint.org/en/master/api/push.html."""
    url = octopi.octoprint.url
    login = httpx.post(f"{url}/api/login", json={"passive": True}, headers={"X-Api-Key": key})
    session = login.json()
    with connect(url.replace("http", "ws", 1) + "/sockjs/websocket", **OPTIONS) as client:
        client.send(json.dumps({"auth": f"{session['name']}:{session['session']}"}))
        yield client


def next_plugin_message(client: ClientConnection, within_s: float) -> Any:
    """What the plugin says next; None if it says nothing."""
    deadline_s = time.monotonic() + within_s
    while (left_s := deadline_s - time.monotonic()) > 0:
        with suppress(TimeoutError):
            plugin = json.loads(client.recv(timeout=left_s)).get("plugin") or {}
            if plugin.get("plugin") == "crdtqueue":
                return plugin["data"]
    return None
