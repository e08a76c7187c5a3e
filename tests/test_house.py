"""The house's own rules: who may import whom, sizes, names, registration tables, nothing of others in the code."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from models.home import CHECKOUT

FLOORS = {
    "models": 0,
    "quality": 1,
    "paper": 1,
    "services": 2,
    "workflows": 3,
    "screens": 4,
    "seed": 4,
    "app": 5,
}
SAME_FLOOR = {("screens", "seed")}  # the demo command plays on seed's generated bureau
PURE = ("quality", "paper")
IMPURE = {"flask", "flask_babel", "flask_sqlalchemy", "sqlalchemy", "rq", "redis"}
PURE_MAY_READ = {"models.options", "models.words", "models.faces", "models.home", "models.processes"}
ONLY_ON_THE_ENGINE_FLOOR = {"rq"}
LAZY_IMPORTS = {"app.py", "screens/commands/__init__.py"}
BAD_NAMES = re.compile(r"^(utils?|helpers?|common|misc|manager)s?\.py$")
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "mirror", "deb." + "debian")
TABLES = ("RULES", "DOCUMENTS", "STEPS", "SCREENS", "COMMANDS")
LONGEST_FILE = 400
LONGEST_FUNCTION = 30


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of ours: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    return tuple(path for name in listed if name and (path := CHECKOUT / name).is_file())


def modules() -> list[Path]:
    """Python files on a floor."""
    return [path for path in tracked() if path.suffix == ".py" and floor_of(path) in FLOORS]


def floor_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).parts[0].removesuffix(".py")


Kept = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.Attribute


@cache
def nodes(path: Path) -> tuple[Kept, ...]:
    """The imports, functions and attributes of a file, wherever in it."""
    return tuple(node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, Kept))


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Full names that a file imports, wherever in it: `from a import b` gives a.b."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(CHECKOUT)) for path in paths]


def test_imports_go_down_only() -> None:
    wrong = []
    for path in modules():
        own = floor_of(path)
        for name in imported(path):
            other = name.split(".")[0]
            if other == own or other not in FLOORS or (own, other) in SAME_FLOOR:
                continue
            if other == "app" or FLOORS[other] >= FLOORS[own]:
                wrong.append(f"{path.relative_to(CHECKOUT)} imports {name}")
    assert wrong == []


def test_pure_floors_know_no_flask_and_no_query() -> None:
    wrong = []
    for path in modules():
        if floor_of(path) not in PURE:
            continue
        for name in imported(path):
            parts = name.split(".")
            if parts[0] in IMPURE or (parts[0] == "models" and ".".join(parts[:2]) not in PURE_MAY_READ):
                wrong.append(f"{path.relative_to(CHECKOUT)} imports {name}")
    assert wrong == []


def test_only_the_engine_floor_knows_rq() -> None:
    found = [p for p in modules() if {n.split(".")[0] for n in imported(p)} & ONLY_ON_THE_ENGINE_FLOOR]
    assert {floor_of(path) for path in found} <= {"workflows"}


def test_no_module_is_loaded_inside_a_function() -> None:
    wrong = []
    for path in modules():
        if str(path.relative_to(CHECKOUT)) in LAZY_IMPORTS:
            continue
        functions = [n for n in nodes(path) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        lines = [n.lineno for n in nodes(path) if isinstance(n, ast.Import | ast.ImportFrom)]
        inside = [n for n in lines for f in functions if f.lineno <= n <= (f.end_lineno or 0)]
        calls = [n for n in imported(path) if n.startswith("importlib.") or n == "importlib"]
        wrong += names([path]) if inside or [n for n in calls if "resources" not in n] else []
    assert wrong == []


def test_services_never_commit() -> None:
    # the database's own version is no row of the house; a spool is a scratch file beside the database
    allowed = {"upgrades.py", "import_spools.py"}
    wrong = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno}"
        for path in modules()
        if floor_of(path) == "services" and path.name not in allowed
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert wrong == []


def test_files_are_short() -> None:
    own = [path for path in tracked() if path.suffix in (".py", ".html", ".js", ".css", ".sh")]
    long = {
        name: size for path in own for name, size in [(str(path), count_lines(path))] if size > LONGEST_FILE
    }
    generated = [name for name in long if "/migrations/versions/" in name]
    assert {name: size for name, size in long.items() if name not in generated} == {}


def count_lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno} {node.name} has {size} lines"
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef) and (size := body_lines(node)) > LONGEST_FUNCTION
    ]
    assert long == []


def body_lines(node: ast.FunctionDef) -> int:
    """Lines of a function from its first statement on; signature and docstring are free."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1


def test_no_file_is_called_utils() -> None:
    assert names([path for path in tracked() if BAD_NAMES.match(path.name)]) == []


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_registry_is_named(host: str) -> None:
    found = [path for path in tracked() if host.encode() in path.read_bytes()]
    assert names(found) == []


def test_locks_hold_hashes_and_no_address() -> None:
    for name in (
        "requirements.lock",
        "requirements-test.lock",
        "requirements-node.lock",
        "requirements-setup.lock",
    ):
        text = (CHECKOUT / name).read_text()
        pins = re.findall(r"^[\w.\-\[\]]+==", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"==[^\n]*\\\n\s+--hash=sha256:", text)), name
        assert not re.search(r"https?:|file:|--find-links|--index|@ ", text), name
    assert '"resolved"' not in (CHECKOUT / "package-lock.json").read_text()


def test_registration_tables_are_documented() -> None:
    text = (CHECKOUT / "docs" / "adding.md").read_text("utf-8")
    assert [table for table in TABLES if f"`{table}`" not in text] == []


def test_every_folder_is_in_the_architecture_page() -> None:
    text = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
    folders = {path.relative_to(CHECKOUT).parts[0] for path in tracked() if path.parent != CHECKOUT}
    assert (
        sorted(folder for folder in folders if not folder.startswith(".") and f"{folder}/" not in text) == []
    )


def test_nothing_that_set_up_fetches_is_committed() -> None:
    listed = [
        path
        for path in tracked()
        if path.suffix.lower() in (".ttf", ".otf", ".ttc", ".woff", ".woff2", ".whl")
    ]
    assert names(listed) == []
    assert not any("vendor" in path.parts or "node_modules" in path.parts for path in tracked())
