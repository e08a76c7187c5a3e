"""How fast cells are judged, and how that compares with the plain library on the same phone cells.

    python bench/judging.py [--rows 200000]

Prints cells per CPU-second and, for phones, how much less CPU time the prefilter and the whole judge take than
phonenumbers' parse + is_valid + format; all three take turns on the same cells. Both counts of differences must be 0.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import phonenumbers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from quality import judge  # noqa: E402 - the checkout is not an installed package
from quality.plain_numbers import plain_number  # noqa: E402
from quality.verdicts import Context  # noqa: E402

FOSHAN = Context(area_code="0757", region="广东省佛山市")
TURN = 1_000  # cells
E164 = phonenumbers.PhoneNumberFormat.E164


def phones(rng: random.Random, count: int) -> list[str]:
    """62 % clean mobiles; the rest as old systems have them."""
    return [_mobile(rng) if rng.random() < 0.62 else _dirty_phone(rng) for _ in range(count)]


def _mobile(rng: random.Random) -> str:
    return f"1{rng.choice(('30', '38', '39', '50', '59', '77', '86', '99'))}{rng.randrange(10**8):08d}"


def _dirty_phone(rng: random.Random) -> str:
    mobile, local = _mobile(rng), f"8{rng.randrange(10**7):07d}"
    return rng.choice(
        (f"+86 {mobile}", f"0086{mobile}", f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}", f"0757-{local}", local,
         f"0757-{local}转802", f"{mobile}/{_mobile(rng)}", mobile.replace("0", "O"), f"手机:{mobile}",
         mobile.translate({ord("0") + n: ord("０") + n for n in range(10)}), mobile[:10], "", "无")
    )  # fmt: skip


def addresses(rng: random.Random, count: int) -> list[str]:
    """Full ones, local ones, estates, villages."""
    return [
        rng.choice(
            (f"广东省佛山市禅城区汾江南路{rng.randrange(1, 300)}号{rng.randrange(1, 20)}栋{rng.randrange(101, 2900)}房",
             f"南海区桂城街道南海大道北{rng.randrange(1, 200)}号", f"石湾村三组{rng.randrange(1, 99)}号",
             f"广东省佛山市顺德区城南花园{rng.randrange(1, 20)}座{rng.randrange(101, 2900)}")
        )
        for _ in range(count)
    ]  # fmt: skip


def names(rng: random.Random, count: int) -> list[str]:
    """Persons, companies, titles."""
    return [
        rng.choice(("张伟", "陈志强", "欧阳修", "李先生", "佛山市恒达五金有限公司")) for _ in range(count)
    ]


def library(text: str) -> str:
    """What the plain library makes of a cell."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, E164) if phonenumbers.is_valid_number(number) else ""


def rate(work: Callable[[str], object], cells: Sequence[str]) -> float:
    """Cells per CPU-second."""
    started = time.process_time()
    for cell in cells:
        work(cell)
    return len(cells) / (time.process_time() - started)


def ratios(cells: Sequence[str]) -> dict[str, float]:
    """CPU time of the plain library against the product's, taken in turns on the same cells, and where they differ."""
    works = {"library": library, "prefilter": prefilter, "judge": lambda cell: judge("phone", cell, FOSHAN)}
    spent = dict.fromkeys(works, 0.0)
    for start in range(0, len(cells), TURN):
        for name, work in works.items():
            spent[name] += len(cells[start : start + TURN]) / rate(work, cells[start : start + TURN])
    return {
        "phone_cells": len(cells),
        **{f"{name}_cells_per_cpu_second": round(len(cells) / spent[name]) for name in works},
        "prefilter_to_library": round(spent["library"] / spent["prefilter"], 2),
        "judge_to_library": round(spent["library"] / spent["judge"], 2),
        "undecided_by_prefilter": round(sum(plain_number(cell) is None for cell in cells) / len(cells), 5),
        "prefilter_differs": sum(prefilter(cell) != library(cell) for cell in cells),
        **differences(cells),
    }


def prefilter(text: str) -> str:
    """The library's answer by the short way, and by the library itself where that does not decide."""
    answer = plain_number(text)
    return library(text) if answer is None else answer


def differences(cells: Sequence[str]) -> dict[str, int]:
    """Cells whose number, as the library finds it, is not among the judge's values.

    Two readings of the library are mistakes of its own and counted apart: it dials three letters O on a keypad, and
    takes a local number for an area code with a service number (8349 5254 for 0834-95254).
    """
    found = Counter[str]()
    for cell in cells:
        number, verdict = library(cell), judge("phone", cell, FOSHAN)
        if number and number not in verdict.values:
            misread = {"letter_for_digit", "missing_area_code"}.intersection(verdict.reasons)
            found[f"library_misreads_{misread.pop()}" if misread else "judge_differs"] += 1
    return {"judge_differs": 0, **found}


def main(count: int) -> dict[str, float]:
    """Measure and return what is printed."""
    rng = random.Random(1)  # noqa: S311 - made-up cells
    cells = phones(rng, count)
    ratios(cells[:TURN])  # what is read at first use is not counted
    found = ratios(cells)
    for kind, others in {
        "supply_address": addresses(rng, count // 10),
        "person": names(rng, count // 10),
    }.items():
        speed = rate(lambda cell, kind=kind: judge(kind, cell, FOSHAN), others)
        found[f"{kind}_cells_per_cpu_second"] = round(speed)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, default=200_000, help="phone cells; a tenth of them of each other kind"
    )
    json.dump(main(parser.parse_args().rows), sys.stdout, indent=1)
    sys.stdout.write("\n")
