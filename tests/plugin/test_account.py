"""The peer's account, in OctoPrint's own user manager."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness.octoprint_server import (
    EXECUTABLE,
    need_octoprint,
)

pytestmark = pytest.mark.e2e

SCRIPT = """
import json, sys
from octoprint.settings import settings
settings(init=True, basedir=sys.argv[1])
from octoprint.access.groups import FilebasedGroupManager
from octoprint.access.users import FilebasedUserManager
from octoprint_crdtqueue.account import USER, Account
from octoprint_crdtqueue.peer_process import CannotStart

users = FilebasedUserManager(FilebasedGroupManager())
account = Account(users)
said = {}

def key(account):
    try:
        return account.key()
    except CannotStart as error:
        return str(error)

said["no users"] = key(account)
said["customized"] = users.has_been_customized()
users.add_user("person", "password", active=True)
said["first"] = key(account)
said["again"] = key(account)
said["owner"] = users.find_user(apikey=said["first"]).get_id()
said["permissions"] = [each.key for each in users.find_user(userid=USER).permissions]
said["next start"] = key(Account(users))
said["old key"] = users.find_user(apikey=said["first"]) is not None
users.change_user_activation(USER, False)
said["deactivated"] = key(Account(users))
users.remove_user(USER)
said["removed"] = key(account)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_octoprint()
    python, folder = EXECUTABLE.parent / "python", tmp_path_factory.mktemp("octoprint")
    done = subprocess.run(
        [python, "-c", SCRIPT, str(Path(folder))], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_before_octoprint_is_set_up_no_user_is_made(said: dict[str, Any]) -> None:
    assert "Finish its set-up wizard" in said["no users"]
    assert said["customized"] is False


def test_the_key_belongs_to_a_user_that_can_print_and_little_else(said: dict[str, Any]) -> None:
    assert said["owner"] == "crdtqueue"
    assert "PRINT" in said["permissions"]
    assert not {"ADMIN", "SETTINGS", "SYSTEM"} & set(said["permissions"])


def test_the_key_lasts_as_long_as_octoprint_runs(said: dict[str, Any]) -> None:
    assert said["first"] == said["again"]
    assert said["next start"] != said["first"]
    assert said["old key"] is False


def test_an_administrator_who_deactivates_the_user_is_obeyed(said: dict[str, Any]) -> None:
    assert "is deactivated" in said["deactivated"]


def test_a_user_that_was_removed_is_made_anew(said: dict[str, Any]) -> None:
    assert len(said["removed"]) > 20
    assert " " not in said["removed"]
