"""How well and how fast scans are read: many damaged copies of a few printed letters, compared with the truth.

    python bench/intake.py [--sheets 2000] [--letters 8] [--dpi 200] [--seed 1] [--processes 2] [--form letter]
        [--kind bag] [--seconds N]

`--form` is the letter's form with four codes, a receipt with one, or a card with two. `--kind` is a bag as it comes
back (`bag`), or the same all in black and white (`mono`), in colour, pressed hard as JPEG (`jpeg`), photographed
(`photo`), or torn, stained, punched and stroked across every time (`worst`). `--seconds` ends a run after that long.

Prints a few letters once, fills each copy in at random, damages it as the post and the scanner do (`seed/scanner.py`),
and reads it from its JPEG as intake does. Prints one JSON object: identified and wrongly identified sheets, sheets
that go to review whole (residual, too few codes) and the worst residual, ticks wrong outside the review band and boxes
left to a person on the others, handwriting missed and
seen where there is none, sheets per CPU-second of reading and the share of each stage. Making the scans is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
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
from paper.receipts import receipt_map  # noqa: E402
from seed import scanner  # noqa: E402
from seed.scanner import Damage, Filled  # noqa: E402
from services.sheet_states import ENOUGH_CODES, RESIDUAL  # noqa: E402

PAGE = 2
SHOWN = 12
CARD_CODES = [{"x": x, "y": 10.0, "size": 12.0, "place": place} for place, x in (("1", 10.0), ("2", 188.0))]
CARD_END = 130.0  # mm
FORMS = ("letter", "receipt", "card")
KINDS: dict[str, Callable[[Damage, Random], Damage]] = {
    "bag": lambda damage, dice: damage,
    "mono": lambda damage, dice: replace(damage, mono=True),
    "colour": lambda damage, dice: replace(damage, colour=True),
    "jpeg": lambda damage, dice: replace(damage, jpeg=30),
    "photo": lambda damage, dice: replace(
        damage,
        lean=(dice.gauss(0, 0.004), dice.gauss(0, 0.004)),
        shade=dice.uniform(0, 0.35),
        blur=max(0.5, damage.blur),
        backdrop=60,
    ),
    "worst": lambda damage, dice: replace(
        damage, torn=(dice.randint(0, 3),), stains=2, holes=True, strokes=1, specks=200
    ),
}


@dataclass
class Figures:
    """What one process found; added up over processes."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    residuals: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Paper:
    """What is scanned: the kind of its codes, the page of its form map, a token and a picture for each sheet."""

    kind: str
    page: dict[str, Any]
    tokens: list[str]
    pictures: list[Image.Image]


def main() -> None:
    """Print, damage, read, compare."""
    options = _options()
    paper = _printed(options.form, [new_token() for _letter in range(options.letters)])
    shares = [range(options.sheets)[start :: options.processes] for start in range(options.processes)]
    jobs = [(share, paper, options) for share in shares]
    with ProcessPoolExecutor(options.processes) as pool:
        found = list(pool.map(_work, jobs))
    print(json.dumps(_told(found, options), ensure_ascii=False, indent=1))  # noqa: T201 the result


def _printed(form: str, tokens: list[str]) -> Paper:
    """The sheets before anybody wrote on them."""
    page = forms.form_map()["pages"][PAGE - 1]
    if form == "letter":
        facts = [replace(forms.SAMPLE, token=token) for token in tokens]
        printed = [scanner.printed(survey_letter(one, forms.SAMPLE_HEAD), [PAGE - 1]) for one in facts]
        return Paper("L", page, tokens, [picture for pictures in printed for picture in pictures])
    kind = "N" if form == "receipt" else "L"
    page = receipt_map()["pages"][0] if form == "receipt" else _card(page)
    return Paper(kind, page, tokens, [scanner.plain_form(page, token, kind=kind) for token in tokens])


def _card(page: dict[str, Any]) -> dict[str, Any]:
    """An A5 sheet with codes in its upper corners and the boxes of the letter's upper half."""
    return {"number": 1, "codes": CARD_CODES, "boxes": [box for box in page["boxes"] if box["y"] < CARD_END]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=int, default=2000)
    parser.add_argument("--letters", type=int, default=8)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--form", choices=FORMS, default=FORMS[0])
    parser.add_argument("--kind", choices=list(KINDS), default="bag")
    parser.add_argument("--seconds", type=float, default=1e9)
    return parser.parse_args()


def _work(job: tuple[range, Paper, argparse.Namespace]) -> Figures:
    numbers, paper, options = job
    figures, end, page = Figures(), time.monotonic() + options.seconds, paper.page
    for number in numbers:
        if time.monotonic() > end:
            break
        dice = Random(f"{options.seed}|{number}")  # noqa: S311 nothing secret: the same scans each time
        which = number % len(paper.tokens)
        filled = scanner.random_filling(dice, page["boxes"])
        damage = KINDS[options.kind](scanner.random_damage(dice, dpi=options.dpi), dice)
        sheet = scanner.scan(
            scanner.fill_in(paper.pictures[which], page["boxes"], filled, dice), damage, dice
        )
        seen, reading = _read(scanner.encoded(sheet, damage), page, figures)
        _compare(figures, seen, reading, paper=paper, truth=(paper.tokens[which], filled, damage))
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
    paper: Paper,
    truth: tuple[str, Filled, Damage],
) -> None:
    token, filled, damage = truth
    page = paper.page
    counts = figures.counts
    counts["sheets"] += 1
    if seen.ours and seen.ours != {(paper.kind, token, page["number"])}:
        counts["wrong_identity"] += 1
        figures.wrong.append(f"identity {seen.ours} for {token}: {damage}")
    if not seen.ours or reading.residual is None:
        counts["not_identified"] += 1
        return
    counts[f"codes_{reading.codes}"] += 1
    figures.residuals.append(reading.residual)
    if reading.residual > RESIDUAL:
        counts["above_residual"] += 1
        return
    if len(page["codes"]) > ENOUGH_CODES > reading.codes:
        counts["few_codes"] += 1
        return
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
        "form": options.form,
        "kind": options.kind,
        "dpi": options.dpi,
        "seed": options.seed,
        **counts,
        "wrong_identity": counts["wrong_identity"],
        "identified": 1 - counts["not_identified"] / counts["sheets"],
        "ticks_wrong_in_100000": round(100_000 * counts["ticks_wrong"] / counts["ticks"], 2),
        "boxes_to_review": round(counts["ticks_to_review"] / counts["ticks"], 5),
        "sheets_to_review": round((counts["above_residual"] + counts["few_codes"]) / counts["sheets"], 5),
        "residual_median_mm": residuals[len(residuals) // 2],
        "residual_worst_mm": residuals[-1],
        "ms_a_sheet": {stage: round(1000 * value / counts["sheets"], 1) for stage, value in seconds.items()},
        "share": {stage: round(value / total, 3) for stage, value in seconds.items()},
        "sheets_per_cpu_second": round(counts["sheets"] / total, 1),
        "wrong": [text for one in found for text in one.wrong][:SHOWN],
    }


if __name__ == "__main__":
    main()
