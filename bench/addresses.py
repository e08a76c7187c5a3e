"""How fast addresses are judged: all cells of a believable dirty file, and cells of which no two are alike.

    python bench/addresses.py [--rows 200000]

Prints cells per CPU-second and how many times the CPU time of one regular expression that only cuts an address into its
parts the judge takes, and of the judge reading each cell by itself; all take turns on the same cells.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from quality.addresses import _judge, judge_address  # noqa: E402 - the checkout is not an installed package
from quality.counties import find_county  # noqa: E402
from quality.places import NO_PLACES  # noqa: E402
from quality.verdicts import Context  # noqa: E402
from seed.bureau import make_bureau  # noqa: E402
from seed.files import lines  # noqa: E402

TURN = 1_000  # cells
REGION = "广东省佛山市"
FOSHAN = Context(region=REGION)
HAN = "\u4e00-\u9fff"
SPLIT = re.compile(
    rf"(?:[{HAN}]{{2,8}}?(?:省|自治区))?(?:[{HAN}]{{2,8}}?市)?(?:[{HAN}]{{1,8}}?[区县])?"
    rf"(?:[{HAN}]{{1,8}}?(?:街道|镇|乡))?(?:[{HAN}]{{1,10}}?(?:路|街|道|巷|村))?(?:\d+号)?(.*)"
)  # no tables, no territory, no verdict: the least that could be called reading an address


def believable(count: int) -> list[str]:
    """The supply addresses of a generated bureau's dirty file."""
    found = lines(make_bureau(7), count=count, seed=7, today=date(2026, 11, 2))
    return [line.written["用电地址"] for line in found]


def unlike(count: int) -> list[str]:
    """Addresses of streets that nobody shares: the worst case."""
    rng = random.Random(7)  # noqa: S311 - made-up streets
    chars = [chr(code) for code in range(0x4E00, 0x9FA5) if _is_common(chr(code))]
    roads = ("".join(rng.sample(chars, 3)) for _ in range(count))
    return [f"{REGION}禅城区{road}路{rng.randrange(1, 999)}号{_flat(rng)}" for road in roads]


def _flat(rng: random.Random) -> str:
    return f"{rng.randrange(1, 30)}栋{rng.randrange(101, 2900)}房"


def _is_common(char: str) -> bool:
    try:
        return char.encode("gb2312")[0] < 0xD8
    except UnicodeEncodeError:
        return False


def alone(cell: str) -> object:
    """Judge a cell without what was learned from others."""
    return _judge(cell, "supply_address", REGION, NO_PLACES)


WORKS: dict[str, Callable[[str], object]] = {
    "split": SPLIT.match,
    "judge": lambda cell: judge_address(cell, "supply_address", FOSHAN),
    "alone": alone,
}


def measure(cells: Sequence[str]) -> dict[str, float]:
    """Cells per CPU-second of each work, taken in turns, and their ratios."""
    spent = dict.fromkeys(WORKS, 0.0)
    for turn in _turns(cells):
        for name, work in WORKS.items():
            started = time.process_time()
            for cell in turn:
                work(cell)
            spent[name] += time.process_time() - started
    rates = {f"{name}_per_second": round(len(cells) / seconds) for name, seconds in spent.items()}
    ratios = {
        "judge_to_split": spent["judge"] / spent["split"],
        "alone_to_judge": spent["alone"] / spent["judge"],
    }
    return rates | {name: round(ratio, 2) for name, ratio in ratios.items()}


def _turns(cells: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(cells)
    while turn := list(islice(rest, TURN)):
        yield turn


def main() -> None:
    """Measure, check that a cell is judged the same either way, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    args = parser.parse_args()
    before, started = _memory(), time.process_time()
    find_county("禅城区")
    judge_address("桂城街道南海大道北1号", "supply_address", FOSHAN)
    tables = {
        "tables_seconds": round(time.process_time() - started, 3),
        "tables_mb": round(_memory() - before, 1),
    }
    cells = believable(args.rows)
    differences = sum(WORKS["judge"](cell) != alone(cell) for cell in cells[:20_000])
    result = {
        "believable": measure(cells),
        "unlike": measure(unlike(args.rows // 4)),
        "differences": differences,
    }
    sys.stdout.write(json.dumps(tables | result, ensure_ascii=False, indent=2) + "\n")


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
