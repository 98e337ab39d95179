"""OctoPrint's account for the peer process, and the key with which it uses the REST API.

The peer prints through OctoPrint's REST API and needs a key for it. It gets a user of its own:
- with the rights to print and nothing more, where a key of a person would carry that person's;
- which no change of a person's account takes away, and which an administrator sees in the list of
  users and can deactivate;
- whose key is made anew at each start of OctoPrint, so a copy of an old one is worth nothing.
The bundled plugin `appkeys` has no interface for other plugins, and its keys belong to people; the
global key has all rights and ceases to work with OctoPrint 1.13.
"""

import secrets
from typing import Any

from octoprint_crdtqueue.peer_process import CannotStart

USER = "crdtqueue"
PERMISSIONS = (
    "STATUS",
    "FILES_LIST",
    "FILES_UPLOAD",
    "FILES_SELECT",
    "FILES_DELETE",
    "PRINT",
)
"""What docs/octoprint.md needs."""


class Account:
    """The account in one OctoPrint. `users` is its user manager."""

    def __init__(self, users: Any) -> None:
        self._users = users
        self._key = ""

    def key(self) -> str:
        """A key that works until OctoPrint ends. Raises CannotStart."""
        user = self._users.find_user(userid=USER)
        if user is None:
            self._create()
        elif not user.is_active:
            raise CannotStart(
                f"OctoPrint's user {USER}, with which the queue prints, is deactivated. Activate"
                " it under Access Control in OctoPrint's settings."
            )
        if user is None or not self._key:
            self._key = str(self._users.generate_api_key(USER))
        return self._key

    def _create(self) -> None:
        if not self._users.has_been_customized():
            # A first user that is ours would make OctoPrint skip the set-up of access control.
            raise CannotStart(
                "OctoPrint has no users yet. Finish its set-up wizard, then press Start again."
            )
        # Nobody logs in as this user: the password is known to nobody.
        self._users.add_user(
            USER, secrets.token_urlsafe(32), active=True, permissions=list(PERMISSIONS), groups=[]
        )
