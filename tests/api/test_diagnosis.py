"""The settings of a peer for a bug report have no secrets in them."""

import json
from pathlib import Path

from crdtqueue.adapters.links import Address
from crdtqueue.adapters.octoprint_source import OctoPrintAddress
from crdtqueue.adapters.printer_process import SerialPrinter
from crdtqueue.adapters.printer_source import Place
from crdtqueue.api.diagnosis import settings_of, versions
from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.ids import Profile
from crdtqueue.core.worker.worker_events import WorkerConfig
from crdtqueue.peer.config import PeerConfig, PrinterConfig


def config_of(place: Place) -> PeerConfig:
    return PeerConfig(
        folder=Path("/data"),
        name="pi",
        listen=Address(host="127.0.0.1", port=7420),
        http=Address(host="127.0.0.1", port=7421),
        printer=PrinterConfig(place=place, worker=WorkerConfig(profile=Profile("MK3S"))),
        times=ClaimTimes(),
    )


def test_neither_the_key_nor_a_login_in_the_url_is_told() -> None:
    url = "https://anna:hunter2@octopi.local:5000/x?apikey=hunter2"
    settings = settings_of(config_of(OctoPrintAddress(url=url, key="hunter2")))
    assert settings["printer"]["place"] == {"octoprint": "https://octopi.local:5000"}
    assert "hunter2" not in json.dumps(settings)
    broken = settings_of(config_of(OctoPrintAddress(url="http://[hunter2", key="hunter2")))
    assert "hunter2" not in json.dumps(broken)


def test_the_settings_of_a_serial_printer_are_json() -> None:
    settings = json.loads(json.dumps(settings_of(config_of(SerialPrinter(port="/dev/ttyUSB0")))))
    assert settings["printer"]["place"]["port"] == "/dev/ttyUSB0"
    assert settings["claim_times"]["heartbeat_s"] == 2.0
    assert settings["listen"] == "127.0.0.1:7420"


def test_the_versions_of_the_libraries_are_told() -> None:
    assert versions()["libraries"]["websockets"]
