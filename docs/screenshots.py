"""Shoot the pictures of the README from a bureau of its own: `python docs/screenshots.py [HOME_FOLDER]`.

Plays the demo into HOME_FOLDER (default: a scratch folder) where there is none yet, serves it, writes docs/pictures/.
Needs Chromium, pdftoppm and the packages of the tests.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHECKOUT = Path(__file__).resolve().parent.parent
PICTURES = CHECKOUT / "docs" / "pictures"
PORT = 5117
ADDRESS = f"http://127.0.0.1:{PORT}"
WIDE, PHONE = (1360, 860), (390, 844)
WEIGHT = 150_000
SHOTS = (  # picture, role who looks, address, size
    ("home", "供电所所长", "/", WIDE),
    ("customers", "数据质量专责", "/admin/customers/", WIDE),
    ("import", "数据质量专责", "/admin/imports/1", WIDE),
    ("assessment", "数据质量专责", "/admin/assessments/{assessment}", WIDE),
    ("campaign", "客户服务专责", "/admin/campaigns/1", WIDE),
    ("print_room", "营业员", "/admin/print_room/campaign/1", WIDE),
    ("scans", "营业员", "/admin/scan_batches/4", WIDE),
    ("board", "查阅人员", "/board/{competition}", WIDE),
)


def main(folder: Path) -> None:
    """Make all pictures."""
    played = play(folder)
    PICTURES.mkdir(exist_ok=True)
    paper("letter", folder, Path(played["artifacts"]["letters"]))
    people = {one["role"]: one["login"] for one in played["logins"]}
    with served(folder), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, role, path, size in SHOTS:
            with signed_in(chromium, people[role], played["password"], size) as page:
                page.goto(path.format(**played))
                page.wait_for_timeout(1200)
                keep(name, page.screenshot())
        with signed_in(chromium, walker(folder, people["客户服务专责"]), played["password"], PHONE) as page:
            page.goto("/m/")
            keep("visits", page.screenshot())
        with signed_in(chromium, people["营业员"], played["password"], WIDE) as page:
            keep("desk", desk(page, folder))


def play(folder: Path) -> dict:
    """What the demo made in this folder; a small bureau, played now where it has not been."""
    told = folder / "screenshots.json"
    if not told.exists():
        folder.mkdir(parents=True, exist_ok=True)
        told.write_bytes(command(folder, "demo", "--customers", "600", "--no-serve", "--json"))
    return json.loads(told.read_text("utf-8"))


def walker(folder: Path, planner: str) -> str:
    """Who has most doors to go to, after a round of visits was begun where none is open."""
    asked = (
        "SELECT username FROM visits JOIN staff ON staff.id = staff_id WHERE ended_at IS NULL"
        " GROUP BY username ORDER BY count(*) DESC, username LIMIT 1"
    )
    with closing(sqlite3.connect(folder / "lamplighter.db")) as base:
        found = base.execute(asked).fetchone()
        if found is None:
            command(folder, "workflow", "start", "door_to_door", "--as", planner, "--wait", "--json")
            found = base.execute(asked).fetchone()
    return str(found[0])


def command(folder: Path, *words: str) -> bytes:
    """What `./lamplighter` prints in this home."""
    words = (str(CHECKOUT / "lamplighter"), *words)
    return subprocess.run(words, env=environment(folder), stdout=subprocess.PIPE, check=True).stdout


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "LAMPLIGHTER_HOME": str(folder)}


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """The bureau in a browser's reach."""
    server = subprocess.Popen([CHECKOUT / "lamplighter", "serve", "--port", str(PORT)], env=environment(folder))
    try:
        wait_for_it()
        yield
    finally:
        server.terminate()
        server.wait()


def wait_for_it() -> None:
    for _ in range(60):
        try:
            with urlopen(f"{ADDRESS}/healthz"):  # noqa: S310 - our own address
                return
        except URLError:
            time.sleep(0.5)
    raise SystemExit("the demo did not come up")


@contextmanager
def signed_in(chromium: Browser, login: str, password: str, size: tuple[int, int]) -> Iterator[Page]:
    """A page on which this person is signed in; a first sign-in chooses a password and goes on with it."""
    view = {"width": size[0], "height": size[1]}
    context = chromium.new_context(base_url=ADDRESS, viewport=view, locale="zh-CN")
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", login)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)
    yield page
    context.close()


def desk(page: Page, folder: Path) -> bytes:
    """The desk with a returned form opened by its letter's number."""
    page.goto("/admin/desk/")
    page.keyboard.type(f"{json.loads((folder / 'screenshots.json').read_text('utf-8'))['campaign']}-00001")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    return page.screenshot()


def paper(name: str, folder: Path, path: Path) -> None:
    """The first letter, front and back, side by side."""
    stem = folder / f"{name}-{secrets.token_hex(4)}"
    subprocess.run(["pdftoppm", "-r", "72", "-l", "2", "-png", path, stem], check=True)
    sides = [Image.open(side) for side in sorted(folder.glob(f"{stem.name}*.png"))]
    whole = Image.new("RGB", (sum(side.width for side in sides) + 12, sides[0].height), "#8a979d")
    for place, side in enumerate(sides):
        whole.paste(side, (place * (side.width + 12), 0))
    data = io.BytesIO()
    whole.save(data, "PNG")
    keep(name, data.getvalue())
    for side in folder.glob(f"{stem.name}*.png"):
        side.unlink()


def keep(name: str, data: bytes) -> None:
    """Write a picture with few colours, lighter where it is too heavy."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (128, 64, 32, 16):
        out = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= WEIGHT:
            break
    (PICTURES / f"{name}.png").write_bytes(out.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "home")
