"""How well and how fast scans are read: many damaged copies of a few printed letters, compared with the truth.

    python bench/intake.py [--sheets 2000] [--letters 8] [--dpi 200] [--seed 1] [--processes 2]

Prints a few letters once, fills each copy in at random, damages it as the post and the scanner do (`seed/scanner.py`),
and reads it from its JPEG as intake does. Prints one JSON object: identified and wrongly identified sheets, registered
sheets and the worst residual, ticks wrong outside the review band and boxes left to a person, handwriting missed and
seen where there is none, sheets per CPU-second of reading and the share of each stage. Making the scans is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image  # noqa: E402 - the checkout is not an installed package

from paper import forms, scan_codes, scans, sides  # noqa: E402
from paper.codes import new_token  # noqa: E402
from paper.print_runs import survey_letter  # noqa: E402
from seed import scanner  # noqa: E402
from seed.scanner import Damage, Filled  # noqa: E402

PAGE = 2
SHOWN = 12


@dataclass
class Figures:
    """What one process found; added up over processes."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    residuals: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print, damage, read, compare."""
    options = _options()
    tokens = [new_token() for _letter in range(options.letters)]
    page = forms.form_map()["pages"][PAGE - 1]
    facts = [replace(forms.SAMPLE, token=token) for token in tokens]
    printed = [scanner.printed(survey_letter(one, forms.SAMPLE_HEAD), [PAGE - 1]) for one in facts]
    pictures = [page for pages in printed for page in pages]
    shares = [range(options.sheets)[start :: options.processes] for start in range(options.processes)]
    jobs = [(share, tokens, pictures, page, options) for share in shares]
    with ProcessPoolExecutor(options.processes) as pool:
        found = list(pool.map(_work, jobs))
    print(json.dumps(_told(found, options), ensure_ascii=False, indent=1))  # noqa: T201 the result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=int, default=2000)
    parser.add_argument("--letters", type=int, default=8)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def _work(job: tuple[range, list[str], list[Image.Image], dict[str, Any], argparse.Namespace]) -> Figures:
    numbers, tokens, pictures, page, options = job
    figures = Figures()
    for number in numbers:
        dice = Random(f"{options.seed}|{number}")  # noqa: S311 nothing secret: the same scans each time
        which = number % len(tokens)
        filled = scanner.random_filling(dice, page["boxes"])
        damage = scanner.random_damage(dice, dpi=options.dpi)
        sheet = scanner.scan(scanner.fill_in(pictures[which], page["boxes"], filled, dice), damage, dice)
        seen, reading = _read(scanner.encoded(sheet, damage), page, figures)
        _compare(figures, seen, reading, page=page, truth=(tokens[which], filled, damage))
    return figures


def _read(data: bytes, page: dict[str, Any], figures: Figures) -> tuple[sides.Seen, sides.Reading]:
    """One side as the child reads it, its stages timed."""
    times = [time.process_time()]
    side = scans.single(1, data)
    times.append(time.process_time())
    seen = sides.look_at(side)
    assert seen is not None  # noqa: S101 it was made a moment ago
    times.append(time.process_time())
    reading = sides.read(seen, page)
    times.append(time.process_time())
    again = time.process_time()
    scan_codes.find_codes(seen.grey)
    codes = time.process_time() - again
    decode, look, read = (later - earlier for earlier, later in zip(times, times[1:], strict=False))
    figures.seconds.update(
        {"decode": decode, "codes": codes, "digest": max(0.0, look - codes), "measure": read}
    )
    return seen, reading


def _compare(
    figures: Figures,
    seen: sides.Seen,
    reading: sides.Reading,
    *,
    page: dict[str, Any],
    truth: tuple[str, Filled, Damage],
) -> None:
    token, filled, damage = truth
    counts = figures.counts
    counts["sheets"] += 1
    if seen.ours and seen.ours != {("L", token, PAGE)}:
        counts["wrong_identity"] += 1
        figures.wrong.append(f"identity {seen.ours} for {token}: {damage}")
    if not seen.ours or reading.residual is None:
        counts["not_identified"] += 1
        return
    counts[f"codes_{reading.codes}"] += 1
    counts["above_residual"] += reading.residual > 0.6
    figures.residuals.append(reading.residual)
    for box in page["boxes"]:
        if box["id"] != "signed_on":
            _compare_box(figures, box, reading, filled=filled, damage=damage)


def _compare_box(
    figures: Figures, box: dict[str, Any], reading: sides.Reading, *, filled: Filled, damage: Damage
) -> None:
    name, mark, counts = box["id"], reading.marks[box["id"]], figures.counts
    if box["kind"] != "tick":
        is_written = name in filled.texts or (name == "signature" and filled.signed)
        counts["lines"] += 1
        counts["writing_missed"] += is_written and not mark.value
        counts["writing_imagined"] += mark.value and not is_written
        return
    counts["ticks"] += 1
    if not mark.sure:
        counts["ticks_to_review"] += 1
    elif mark.value != (name in filled.ticks):
        counts["ticks_wrong"] += 1
        figures.wrong.append(f"{name} {filled.ticks.get(name, 'empty')} {mark}: {damage}")


def _told(found: list[Figures], options: argparse.Namespace) -> dict[str, Any]:
    counts, seconds = Counter[str](), Counter[str]()
    for one in found:
        counts.update(one.counts)
        seconds.update(one.seconds)
    residuals = sorted(value for one in found for value in one.residuals)
    total = sum(seconds.values())
    return {
        "dpi": options.dpi,
        **counts,
        "identified": 1 - counts["not_identified"] / counts["sheets"],
        "ticks_wrong_in_100000": round(100_000 * counts["ticks_wrong"] / counts["ticks"], 2),
        "boxes_to_review": round(counts["ticks_to_review"] / counts["ticks"], 5),
        "residual_median_mm": residuals[len(residuals) // 2],
        "residual_worst_mm": residuals[-1],
        "ms_a_sheet": {stage: round(1000 * value / counts["sheets"], 1) for stage, value in seconds.items()},
        "share": {stage: round(value / total, 3) for stage, value in seconds.items()},
        "sheets_per_cpu_second": round(counts["sheets"] / total, 1),
        "wrong": [text for one in found for text in one.wrong][:SHOWN],
    }


if __name__ == "__main__":
    main()
