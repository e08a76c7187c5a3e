"""How fast cells are judged, and how that compares with the plain library on the same phone cells.

    python bench/judging.py [CELLS]

Prints cells per CPU-second of every rule, and for phones the ratio to phonenumbers' parse + is_valid + format.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import phonenumbers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from quality import judge  # noqa: E402 - the checkout is not an installed package
from quality.verdicts import Context  # noqa: E402

FOSHAN = Context(area_code="0757", region="广东省佛山市")
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
    return [rng.choice(("张伟", "陈志强", "欧阳修", "李先生", "佛山市恒达五金有限公司")) for _ in range(count)]


def library(text: str) -> str:
    """What the plain library makes of a cell."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, E164) if phonenumbers.is_valid_number(number) else ""


def rate(work: Callable[[str], object], cells: Sequence[str]) -> float:
    """Cells per CPU-second, the best of three."""
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        for cell in cells:
            work(cell)
        best = max(best, len(cells) / (time.process_time() - started))
    return best


def main(count: int) -> dict[str, float]:
    """Measure and return what is printed."""
    rng = random.Random(1)  # noqa: S311 - made-up cells
    kinds = {"mobile": phones(rng, count), "supply_address": addresses(rng, count), "person": names(rng, count)}
    found = {f"{kind}_cells_per_cpu_second": rate(lambda cell, kind=kind: judge(kind, cell, FOSHAN), cells)
             for kind, cells in kinds.items()}  # fmt: skip
    plain = rate(library, kinds["mobile"])
    ratio = found["mobile_cells_per_cpu_second"] / plain
    return {key: round(value) for key, value in found.items()} | {
        "library_cells_per_cpu_second": round(plain),
        "phones_to_library": round(ratio, 2),
    }


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000), sys.stdout, indent=1)
    sys.stdout.write("\n")
