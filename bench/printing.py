"""How many pages of letters a CPU-second prints, beside WeasyPrint letter by letter and Typst where it is installed.

    python bench/printing.py [--letters 10000] [--rounds 3] [--fidelity 0] [--alone PROCESSES]

The same letter with its form, its six codes and the same made-up customers; all take turns, and everything counts that
a file costs: layout, fonts, proofs. Typst is no dependency: put it where Python finds it (`pip install --target`). With
`--fidelity 200`, so many hostile letters are compared with WeasyPrint's as pixels first. Prints JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402 - the checkout is not an installed package
import pikepdf  # noqa: E402
from fidelity import different, filled, laid_out_singly, random_letter  # noqa: E402
from paper_samples import HEAD as TEST_HEAD  # noqa: E402
from PIL import Image  # noqa: E402
from weasyprint import HTML  # noqa: E402
from weasyprint.text.fonts import FontConfiguration  # noqa: E402

from paper.codes import CROCKFORD, code_rows, link_rows  # noqa: E402
from paper.figures import long_date  # noqa: E402
from paper.forms import SAMPLE_HEAD as HEAD  # noqa: E402
from paper.letters import SAMPLE, LetterFacts, LetterSheet, Recorded  # noqa: E402
from paper.print_runs import letters_html, render_letters  # noqa: E402

SINGLY, TYPST_LETTERS, PAGES = 3, 1000, 2  # Typst holds two GB at so many
SURNAMES, NAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋",
    "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英",
)
ROADS = (
    "建新路",
    "汾江中路",
    "季华五路",
    "南海大道北",
    "桂澜路",
    "文华路",
    "岭南大道",
    "同济路",
    "祖庙路",
    "佛平路",
)
ESTATES = ("恒福花园", "丽日豪庭", "中海锦城", "雅居花园", "时代倾城", "")


def made_up(number: int) -> LetterFacts:
    """One customer's letter."""
    dice = random.Random(number)  # noqa: S311 made-up customers
    name = dice.choice(SURNAMES) + "".join(dice.choices(NAMES, k=dice.choice((1, 2, 2))))
    road = f"佛山市禅城区祖庙街道{dice.choice(ROADS)}{dice.randint(1, 300)}号{dice.choice(ESTATES)}"
    address = f"{road}{dice.randint(1, 20)}座{dice.randint(1, 30) * 100 + dice.randint(1, 8)}室"
    recorded = Recorded(
        person=name,
        mobile=f"13{dice.randrange(10**9):09d}",
        landline=f"0757-{dice.randrange(10**7, 10**8)}",
        outage_person=name,
        outage_mobile=f"13{dice.randrange(10**9):09d}",
        postal_address=address,
        postcode="528000",
        email=f"user{number}@example.com",
        wechat=f"wx_{number}",
    )
    return replace(
        SAMPLE,
        serial=f"HD-2026-11-{number:06d}",
        token="".join(dice.choices(CROCKFORD, k=10)),
        address=address,
        addressee=name,
        account_no=f"03{dice.randrange(10**14):014d}",
        name=name,
        supply_address=address,
        recorded=recorded,
        reply_url="HTTPS://EXAMPLE.CN/R/" + "".join(dice.choices(CROCKFORD, k=10)),
    )


def made_up_to(last: int) -> list[LetterFacts]:
    """The letters from the first to this one."""
    return [made_up(number) for number in range(1, last + 1)]


def cpu_seconds(work: Callable[[], Any]) -> float:
    """What a piece of work costs, its children included."""

    def spent() -> float:
        uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(use.ru_utime + use.ru_stime for use in uses)

    before = spent()
    work()
    return spent() - before


def stamp(letters: list[LetterFacts], target: Path) -> float:
    """CPU seconds a page of one stamped file."""
    return cpu_seconds(lambda: render_letters(letters, HEAD, target, processes=1)) / len(letters) / PAGES


def lay_out_singly(sheets: list[LetterSheet], fonts: FontConfiguration) -> float:
    """CPU seconds a page where WeasyPrint lays each letter out for itself, with one font configuration for all."""
    htmls = [letters_html([sheet], HEAD) for sheet in sheets]
    return (
        cpu_seconds(lambda: [HTML(string=html).write_pdf(font_config=fonts) for html in htmls])
        / len(htmls)
        / PAGES
    )


def set_in_typst(source: Path) -> float:
    """CPU seconds a page of one Typst document, in a process of its own: what was set once is kept in memory."""
    program = f"import typst; typst.compile({str(source)!r}, output={str(source.with_suffix('.pdf'))!r})"
    command = [sys.executable, "-c", program]
    return cpu_seconds(lambda: subprocess.run(command, check=True)) / TYPST_LETTERS / PAGES  # noqa: S603 own words


def typst_source(sheets: list[LetterSheet], folder: Path) -> Path:
    """The same letters for Typst as their author would write them: running text, tables, and their values as data."""
    shared = {
        "hotline": HEAD.hotline,
        "organ": HEAD.organ,
        "sent_on": long_date(SAMPLE.sent_on),
        "reply_by": long_date(SAMPLE.reply_by),
    }
    letters = [_typst_letter(number, sheet, folder) for number, sheet in enumerate(sheets)]
    (folder / "letters.json").write_text(
        json.dumps({"shared": shared, "letters": letters}, ensure_ascii=False), encoding="utf-8"
    )
    return Path(shutil.copy(Path(__file__).with_name("printing.typ"), folder / "letters.typ"))


def _typst_letter(number: int, sheet: LetterSheet, folder: Path) -> dict[str, Any]:
    """What stands on one letter; its codes are pictures made before."""
    for place, text in sheet.codes.items():
        rows = link_rows(text) if place == "reply" else code_rows(text)
        dark = np.array([list(row) for row in rows], dtype=np.uint8)
        Image.fromarray((1 - dark) * 255).save(folder / f"{number}-{place}.png")
    texts = {name: "\n".join(text.lines) for name, text in sheet.texts.items()}
    return {"number": number, **texts}


def rounds_of(letters: int, rounds: int, folder: Path) -> dict[str, list[float]]:
    """CPU seconds a page of each way, in turns."""
    found: dict[str, list[float]] = {"stamped": [], "weasyprint": []}
    singles, fonts = filled(made_up_to(SINGLY), HEAD), FontConfiguration()
    if importlib.util.find_spec("typst"):
        source = typst_source(filled(made_up_to(TYPST_LETTERS), HEAD), folder)
        found["typst"] = []
    stamp(made_up_to(10), folder / "first.pdf")  # fonts that are read once in the life of a process
    stamped = made_up_to(letters)
    for _round in range(rounds):
        found["stamped"].append(stamp(stamped, folder / "stamped.pdf"))
        found["weasyprint"].append(lay_out_singly(singles, fonts))
        if "typst" in found:
            found["typst"].append(set_in_typst(source))
    return found


def report(letters: int, rounds: int, fidelity: int) -> dict[str, Any]:
    """Pages per CPU-second of each way, how many times faster stamping is, and the size of a page."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if fidelity:
            hostile = [random_letter(number) for number in range(1, fidelity + 1)]
            render_letters(hostile, TEST_HEAD, folder / "hostile.pdf")
            found["unlike_weasyprint"] = different(folder / "hostile.pdf", laid_out_singly(hostile))
        times = rounds_of(letters, rounds, folder)
        found["bytes_per_page"] = round((folder / "stamped.pdf").stat().st_size / letters / PAGES)
        with pikepdf.open(folder / "stamped.pdf") as pdf:
            found["faults"] = pdf.check_pdf_syntax()
    middle = {way: statistics.median(seconds) for way, seconds in times.items()}
    found |= {f"{way}_pages_per_cpu_second": round(1 / seconds, 1) for way, seconds in middle.items()}
    found |= {
        f"times_{way}": round(
            statistics.median(a / b for a, b in zip(times[way], times["stamped"], strict=True))
        )
        for way in times
        if way != "stamped"
    }
    return found | {"peak_mib": peak()}


def peak() -> dict[str, int]:
    """The most memory that this process and its largest child held."""
    who = {"own": resource.RUSAGE_SELF, "child": resource.RUSAGE_CHILDREN}
    return {name: resource.getrusage(one).ru_maxrss // 1024 for name, one in who.items()}


def only_stamp(letters: int, processes: int) -> dict[str, Any]:
    """One large file by itself, its letters made up as they are printed: how long it takes, and the memory."""
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "stamped.pdf"
        started = time.monotonic()
        stream = (made_up(number) for number in range(1, letters + 1))
        seconds = cpu_seconds(lambda: render_letters(stream, HEAD, target, processes=processes))
        size = target.stat().st_size
    return {
        "wall_seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(seconds, 1),
        "bytes_per_page": round(size / letters / PAGES),
        "peak_mib": peak(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fidelity", type=int, default=0, help="hostile letters to compare as pixels first")
    parser.add_argument(
        "--alone", type=int, metavar="PROCESSES", help="one file by so many processes, without peers"
    )
    asked = parser.parse_args()
    told = (
        only_stamp(asked.letters, asked.alone)
        if asked.alone
        else report(asked.letters, asked.rounds, asked.fidelity)
    )
    json.dump(told, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
