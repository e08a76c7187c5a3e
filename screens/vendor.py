"""Third-party front-end files: which ones the screens load, copied from npm's packages into static/vendor/.

Runs as a program at set-up (`python screens/vendor.py NODE_MODULES TARGET`), with the standard library alone. Beside
the files it leaves manifest.json with version, licence and sha256 of each.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

FILES = {
    "bpmn-viewer.min.js": ("bpmn-js", "dist/bpmn-navigated-viewer.production.min.js"),
    "bpmn-viewer.css": ("bpmn-js", "dist/assets/bpmn-js.css"),
    "diagram.css": ("bpmn-js", "dist/assets/diagram-js.css"),
    "echarts.min.js": ("echarts", "dist/echarts.min.js"),
    "htmx.min.js": ("htmx.org", "dist/htmx.min.js"),
    "workflow-designer.min.js": ("sequential-workflow-designer", "dist/index.umd.js"),
    "workflow-designer.css": ("sequential-workflow-designer", "css/designer.css"),
    "workflow-designer-light.css": ("sequential-workflow-designer", "css/designer-light.css"),
}


def copy_files(packages: Path, target: Path) -> None:
    """Copy every file of the table into `target` and write the manifest last."""
    target.mkdir(parents=True, exist_ok=True)
    manifest = {
        name: _copy(packages / package, inside, target / name) for name, (package, inside) in FILES.items()
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _copy(package: Path, inside: str, target: Path) -> dict[str, str]:
    shutil.copyfile(package / inside, target)
    about = json.loads((package / "package.json").read_text())
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return {
        "package": about["name"],
        "version": about["version"],
        "licence": about["license"],
        "sha256": digest,
    }


if __name__ == "__main__":
    copy_files(Path(sys.argv[1]), Path(sys.argv[2]))
