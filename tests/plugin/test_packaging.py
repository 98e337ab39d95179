"""What OctoPrint finds in the wheel; a repository zip is built into the same one."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).parents[2]


def test_the_wheel_has_the_plugin_its_pages_and_its_entry_point(tmp_path: Path) -> None:
    build = "import hatchling.build, sys; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=REPOSITORY, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        text = archive.read(entry_points).decode()
    assert "[octoprint.plugin]\ncrdtqueue = octoprint_crdtqueue" in text
    for name in (
        "octoprint_crdtqueue/plugin.py",
        "octoprint_crdtqueue/templates/crdtqueue_tab.jinja2",
        "octoprint_crdtqueue/static/crdtqueue.js",
        "crdtqueue_web/static/crdtqueue-view.js",
        "crdtqueue_web/static/ui/dom.js",
        "printer_driver/octoprint/octoprint_printer.py",
        "crdtqueue/core/claims/claims.py",
    ):
        assert name in names
    assert not any(name.startswith("tests/") for name in names)
