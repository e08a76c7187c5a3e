"""The announcement of a sample (抽样公告): what is promised before the draw, and after it how anybody draws again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.lines import fitting_size
from paper.merging import About
from paper.pages import compose
from paper.proofs import Expected
from paper.single import single

TITLE_WIDTH, TITLE_SIZE = 150.0, 22.0  # mm, pt


@dataclass(frozen=True)
class Stratum:
    """One stratum as it is promised; `size` is None where the method gives strata no places."""

    unit: str
    cohort: str
    customer_class: str
    population: int
    size: int | None


@dataclass(frozen=True)
class Announcement:
    """What everybody may know. `seed` and `public_number` stand in it only after the draw."""

    unit: str
    unit_code: str
    period: str
    population: int
    size: int
    method: str
    counted_by: str
    interval: str
    strata: tuple[Stratum, ...]
    seed_sha256: str
    frame_sha256: str
    deadline: dt.datetime
    committed_by: str
    committed_at: dt.datetime
    public_source: str = ""
    fingerprint: str = ""
    seed: str = ""
    public_number: str = ""
    drawn_by: str = ""
    drawn_at: dt.datetime | None = None

    @property
    def is_census(self) -> bool:
        """Whether everybody is drawn."""
        return self.size >= self.population


def sample_announcement(facts: Announcement, letterhead: Letterhead) -> bytes:
    """One to a few pages to be put up before the deadline, and with the seed after the draw."""
    word = "数据普查" if facts.is_census else "抽样核查"
    title = f"{facts.unit}客户联系信息{word}公告"
    size = fitting_size(title, TITLE_WIDTH, largest=TITLE_SIZE, smallest=10, face="xiaobiaosong")
    html = compose(
        "sample_announcement.html", letterhead, title=title, title_size=size, word=word, facts=facts
    )
    shown = [("承诺值", facts.seed_sha256), ("总体校验值", facts.frame_sha256)]
    shown += [("种子", facts.seed), ("公开号码", facts.public_number)] if facts.seed else []
    about = About(title, (facts.drawn_at or facts.committed_at).date())
    return single(html, about, letterhead=letterhead, expected=[Expected("抽样公告", 0, shown)])
