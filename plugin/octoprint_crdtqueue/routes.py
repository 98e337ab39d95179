"""The routes of the plugin below `/plugin/crdtqueue/`, with OctoPrint's users, rights and CSRF
check."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
from crdtqueue_web import static_dir
from octoprint.access.permissions import Permissions
from octoprint.filemanager import valid_file_type
from octoprint.plugin import BlueprintPlugin

from crdtqueue.core.errors import CrdtQueueError, Invalid
from octoprint_crdtqueue.allowed_routes import (
    is_setting,
    peer_path,
)
from octoprint_crdtqueue.local_jobs import (
    LocalFile,
    PeerRefused,
    add,
    hand_over,
    parse_local_job,
    take_in,
)
from octoprint_crdtqueue.peer_client import (
    PeerAnswer,
    PeerUnavailable,
)
from octoprint_crdtqueue.peer_service import PeerService
from octoprint_crdtqueue.plugin_config import problems

VIEW = "PLUGIN_CRDTQUEUE_VIEW"
MANAGE = "PLUGIN_CRDTQUEUE_MANAGE"
BODY_BYTES_MAX = 1024 * 1024
"""The peer's own limit for a request that is no file."""
MIME_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""Browsers insist on them for modules, and Windows guesses otherwise."""

Handler = Callable[..., Any]


def route(rule: str, *methods: str) -> Callable[[Handler], Handler]:
    """Makes a method the handler of these requests."""
    decorate: Callable[[Handler], Handler] = BlueprintPlugin.route(rule, methods=list(methods))
    return decorate


def needs(*permissions: str) -> Callable[[Handler], Handler]:
    """Lets only users with all these permissions in; errors become JSON with a sentence."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not _may(*permissions):
                return _forbidden()
            try:
                return handler(*args, **kwargs)
            except PeerUnavailable as error:
                return _refusal(503, "unavailable", str(error))
            except PeerRefused as error:
                return _passed_on(error.answer)
            except CrdtQueueError as error:
                return _refusal(422, error.code, error.message)

        return checked

    return decorate


class PluginRoutes(BlueprintPlugin):  # type: ignore[misc]  # OctoPrint has no types
    """The handlers. Whoever mixes this in sets `service`."""

    service: PeerService | None = None
    _file_manager: Any
    _settings: Any

    def is_blueprint_protected(self) -> bool:
        """Each handler checks its own permissions."""
        return False

    def is_blueprint_csrf_protected(self) -> bool:
        """Requests of browsers carry OctoPrint's token."""
        return True

    def body_sizes(self, _: object) -> list[tuple[str, str, int]]:
        """Hook: how large requests may be."""
        files = self._settings.global_get_int(["server", "uploads", "maxSize"])
        return [
            ("POST", r"/api/files", files),
            ("POST", r"/api/queues/[^/]+/gjob", files),
            ("POST", r"/api/queues/.*", BODY_BYTES_MAX),
            ("PUT", r"/api/printer/scripts/.*", BODY_BYTES_MAX),
        ]

    @route("/view/<path:path>", "GET")
    def show_file(self, path: str) -> Any:
        """The files of the queue's view, the same as the peer's own page has."""
        kind = MIME_TYPES.get(Path(path).suffix)
        return flask.send_from_directory(static_dir(), path, mimetype=kind, max_age=0)

    @route("/api/state", "GET")
    @needs(VIEW)
    def show_state(self) -> Any:
        """All that the tab shows."""
        return flask.jsonify(self._running().view())

    @route("/api/start", "POST")
    @needs(MANAGE)
    def start_again(self) -> Any:
        """Starts a peer process that was given up on."""
        self._running().start_again()
        return "", 204

    @route("/api/<path:path>", "GET")
    @needs(VIEW)
    def look(self, path: str) -> Any:
        """The history, scripts, and files to download."""
        return self._forward(path, None)

    @route("/api/<path:path>", "POST", "PUT", "PATCH", "DELETE")
    @needs(MANAGE)
    def change(self, path: str) -> Any:
        """A change that the peer makes. Settings need OctoPrint's right to change settings too."""
        if is_setting(flask.request.method, path) and not _may("SETTINGS"):
            return _forbidden()
        return self._forward(path, flask.request.get_data() or None)

    def _forward(self, path: str, body: bytes | None) -> Any:
        method = flask.request.method
        target = peer_path(method, path, flask.request.args)
        if target is None:
            return _refusal(404, "not_found", "There is no such thing here. Reload the page.")
        return _passed_on(self._running().ask(lambda peer: peer.ask(method, target, body)))

    @route("/api/files", "POST")
    @needs(MANAGE)
    def upload(self) -> Any:
        """A g-code file, as the field `file` of a form."""
        return flask.jsonify(self._running().ask(take_in(self._sent()))), 201

    @route("/api/queues/<queue>/gjob", "POST")
    @needs(MANAGE)
    def import_job(self, queue: str) -> Any:
        """A .gjob file, as the field `file` of a form; it becomes a job of the queue."""
        file = self._sent()
        path = peer_path("POST", f"queues/{queue}/gjob", {"name": file.name})
        if path is None:
            return _refusal(404, "not_found", "There is no such queue. Reload the page.")
        return flask.jsonify(self._running().ask(hand_over(file, path))), 201

    def _sent(self) -> LocalFile:
        """The file of a form, which OctoPrint has put on disk."""
        name_key, path_key = (
            "file." + self._settings.global_get(["server", "uploads", suffix])
            for suffix in ("nameSuffix", "pathSuffix")
        )
        if path_key not in flask.request.form:
            raise Invalid("Send the file as the field `file` of a form.")
        name = flask.request.args.get("name") or flask.request.form[name_key]
        return LocalFile(name=name, on_disk=Path(flask.request.form[path_key]))

    @route("/api/stored-files", "POST")
    @needs(MANAGE, "FILES_LIST")
    def take_stored_file(self) -> Any:
        """Makes a file of OctoPrint's one that jobs can be made of: {"path"}."""
        file = self._stored(parse_local_job(_body()).path)
        return flask.jsonify(self._running().ask(take_in(file))), 201

    @route("/add-local", "POST")
    @needs(MANAGE, "FILES_LIST")
    def add_local(self) -> Any:
        """Adds a file of OctoPrint's as a job: {"path", "queue", "copies", …}."""
        job = parse_local_job(_body())
        return flask.jsonify(self._running().ask(add(job, self._stored(job.path)))), 201

    @route("/api/check", "POST")
    @needs("SETTINGS")
    def check_settings(self) -> Any:
        """What is wrong with settings as they are typed, by field."""
        return flask.jsonify({"problems": problems(_body())})

    def _running(self) -> PeerService:
        if self.service is None:
            raise PeerUnavailable("OctoPrint is still starting. Try again in a few seconds.")
        return self.service

    def _stored(self, path: str) -> LocalFile:
        name = Path(path).name
        if not valid_file_type(name, type="machinecode"):
            raise Invalid(f"{name} is not a g-code file. Choose one that can be printed.")
        try:
            if self._file_manager.file_exists("local", path):
                return LocalFile(
                    name=name, on_disk=Path(self._file_manager.path_on_disk("local", path))
                )
        except ValueError:
            pass  # A path that leads out of OctoPrint's folder names no file of OctoPrint's.
        raise Invalid(f"OctoPrint has no file {path[:200]}. Reload the list.", code="no_file")


def _may(*permissions: str) -> bool:
    return all(getattr(Permissions, each).can() for each in permissions)


def _forbidden() -> Any:
    return _refusal(403, "forbidden", "You may not do this. Ask an administrator.")


def _body() -> dict[str, Any]:
    data = flask.request.get_json(silent=True)
    if not isinstance(data, dict):
        raise Invalid("Send a JSON object.")
    return data


def _passed_on(answer: PeerAnswer) -> Any:
    headers = {"Content-Disposition": answer.disposition} if answer.disposition else {}
    return flask.Response(answer.body, answer.status, headers, content_type=answer.kind)


def _refusal(status: int, code: str, message: str) -> Any:
    return flask.jsonify({"error": {"code": code, "message": message}}), status
