"""The `lamplighter` script on made-up machines, whose python3, npm, id and apt-get only write down their calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from models.home import CHECKOUT

LOCKS = tuple(f"requirements{kind}.lock" for kind in ("", "-setup", "-test", "-node")) + (
    "package-lock.json",
)
TOOLS = "sh cat cmp cp rm mkdir dirname basename readlink tr chmod touch flock env".split()

PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
*version_info*) exit "${OLD_PYTHON:-0}" ;;
"-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; chmod +x "$3/bin/python" ;;
*vendor.py*) mkdir -p "$3"; touch "$3/manifest.json" ;;
*faces.py) [ -z "${MISSING:-}" ] || echo "$MISSING" ;;
esac
"""
NPM = """#!/bin/sh
echo "npm $*" >>"$CALLS"
mkdir -p node_modules/axe-core; touch node_modules/axe-core/axe.min.js
"""
WRITES_DOWN = '#!/bin/sh\necho "${0##*/} $*" >>"$CALLS"\n'


class Machine:
    """A checkout of its own, and a PATH on which only what a test puts there exists."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tools, self.calls = folder / "checkout", folder / "tools", folder / "calls"
        self.folder.mkdir()
        self.tools.mkdir()
        for name in ("lamplighter", *LOCKS):
            shutil.copy(CHECKOUT / name, self.folder / name)
        for name in TOOLS:
            (self.tools / name).symlink_to(shutil.which(name) or name)
        self.has("python3", PYTHON)
        self.has("id", "#!/bin/sh\necho 0\n")

    def has(self, name: str, script: str = WRITES_DOWN) -> None:
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        environment |= {"PATH": str(self.tools), "CALLS": str(self.calls)}
        return subprocess.run(
            ["/bin/sh", str(self.folder / "lamplighter"), *words],
            env=environment,
            capture_output=True,
            text=True,
        )

    def called(self) -> str:
        return self.calls.read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.has("npm", NPM)
    return made


def test_first_call_installs_and_hands_over(machine: Machine) -> None:
    done = machine.run("units", "import", "a file.csv")
    assert done.returncode == 0
    assert "-m venv" in machine.called()
    assert "--require-hashes" in machine.called()
    assert "npm ci --ignore-scripts" in machine.called()
    assert machine.called().endswith(f"python {machine.folder}/app.py units import a file.csv\n")
    assert done.stdout == ""


def test_second_call_goes_straight_to_the_program(machine: Machine) -> None:
    machine.run("doctor")
    done = machine.run("doctor", "--json")
    assert machine.called() == f"python {machine.folder}/app.py doctor --json\n"
    assert done.stderr == ""


def test_a_changed_lock_is_installed_again(machine: Machine) -> None:
    machine.run("doctor")
    with open(machine.folder / "requirements.lock", "a") as lock:
        lock.write("# newer\n")
    machine.run("doctor")
    assert "requirements.lock" in machine.called()
    assert "-m venv" not in machine.called()
    assert "npm" not in machine.called()


def test_a_broken_install_is_tried_again(machine: Machine) -> None:
    broken = PYTHON.replace("esac", "*pip*-r*/requirements.lock*) exit 1 ;;\nesac")
    machine.has("python3", broken)
    failed = machine.run("doctor")
    assert failed.returncode == 1
    assert "镜像" in failed.stderr
    shutil.copy(machine.tools / "python3", machine.folder / ".venv/bin/python")
    (machine.folder / ".venv/bin/python").write_text(PYTHON)
    assert machine.run("doctor").returncode == 0
    assert "requirements.lock" in machine.called()


def test_old_python_stops_with_a_message(machine: Machine) -> None:
    done = machine.run("doctor", OLD_PYTHON="1")
    assert done.returncode == 1
    assert "Python 3.11" in done.stderr


def test_node_comes_from_python_where_npm_is_missing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.has("node")
    machine.run("doctor")
    assert "requirements-node.lock" in machine.called()
    assert "npm-cli.js ci --ignore-scripts" in machine.called()
    assert (machine.folder / "static/vendor/package-lock.json").exists()


def test_root_gets_missing_system_packages(machine: Machine) -> None:
    machine.has("apt-get")
    machine.run("serve", MISSING="fonts-noto-cjk")
    assert "apt-get install -y --no-install-recommends fonts-noto-cjk" in machine.called()


def test_without_rights_the_exact_command_is_printed(machine: Machine) -> None:
    machine.has("apt-get")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    done = machine.run("demo", MISSING="fonts-noto-cjk")
    assert done.returncode == 1
    assert "apt-get install -y --no-install-recommends fonts-noto-cjk" in done.stderr
    assert "app.py" not in machine.called()


def test_a_machine_with_everything_is_not_changed(machine: Machine) -> None:
    machine.has("apt-get")
    machine.run("print")
    assert "apt-get" not in machine.called()


def test_only_what_prints_looks_for_fonts(machine: Machine) -> None:
    machine.run("check", "x.csv", MISSING="fonts-noto-cjk")
    assert "faces.py" not in machine.called()


def test_test_installs_its_own_lock_and_runs_pytest(machine: Machine) -> None:
    machine.run("test", "-k", "two words")
    assert "requirements-test.lock" in machine.called()
    assert "--omit=dev" not in machine.called()
    assert machine.called().endswith("python -m pytest -n 2 --dist worksteal -k two words\n")


def test_works_from_any_folder_and_through_a_link(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(machine.folder / "lamplighter")
    environment = {"PATH": str(machine.tools), "CALLS": str(machine.calls)}
    subprocess.run(
        [str(tmp_path / "link"), "doctor"], env=environment, cwd="/", check=True, capture_output=True
    )
    assert f"python {machine.folder}/app.py doctor" in machine.called()
