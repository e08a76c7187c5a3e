"""The draw itself: from the frozen lines of a frame to who is drawn, in which stratum, standing for how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models import Sample
from quality import sampling


class Member(NamedTuple):
    """One customer of a frame."""

    account: str
    unit: str
    cohort: str
    customer_class: str
    book: str

    @property
    def stratum(self) -> str:
        """Unit, cohort and class: what samples are allotted to."""
        return f"{self.unit}|{self.cohort}|{self.customer_class}"

    @property
    def frame_line(self) -> str:
        """The line whose file is promised."""
        return f"{self.account}|{self.cohort}|{self.customer_class}"

    @property
    def line(self) -> str:
        """The line that whoever draws again needs."""
        return f"{self.account}|{self.stratum}|{self.book}"


@dataclass(frozen=True)
class Drawn:
    """A member that was drawn; `stratum` is a meter book where books were drawn first."""

    member: Member
    stratum: str
    rank: int
    weight: float


def read_members(path: Path) -> Iterator[Member]:
    """The members of a frozen frame, in the order of their account numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        for line in file:
            yield Member(*line.rstrip("\n").rsplit("|", 4))


def drawn_of(sample: Sample, members: Iterable[Member], key: bytes) -> Iterator[Drawn]:
    """Who is drawn by the method of a sample, in the order of the strata and ranks."""
    known, head = list(members), f"{sample.period}|{sample.unit.code}"
    if sample.method == "systematic":
        return _systematic(sample, known, key, head)
    if sample.method == "pps":
        return _by_books(sample, known, key, head)
    return _stratified(sample, known, key, head)


def _stratified(sample: Sample, members: Sequence[Member], key: bytes, head: str) -> Iterator[Drawn]:
    strata: dict[str, list[str]] = defaultdict(list)
    for member in members:
        strata[member.stratum].append(member.account)
    places = {row["stratum"]: row["size"] for row in sample.strata}
    known = {member.account: member for member in members}
    for one in sampling.stratified(strata, places, key, head):
        yield Drawn(known[one.key], one.stratum, one.rank, len(strata[one.stratum]) / places[one.stratum])


def _systematic(sample: Sample, members: Sequence[Member], key: bytes, head: str) -> Iterator[Drawn]:
    """Every N/n-th along unit, meter book and account number from a random start."""
    route = sorted(members, key=lambda one: (one.unit, one.book, one.account))
    known = {member.account: member for member in members}
    found = sampling.systematic([one.account for one in route], sample.size, sampling.start_of(key, head))
    for rank, account in enumerate(found, 1):
        yield Drawn(known[account], known[account].stratum, rank, len(route) / sample.size)


def _by_books(sample: Sample, members: Sequence[Member], key: bytes, head: str) -> Iterator[Drawn]:
    """Meter books with probability proportional to their customers, then equally many of each hit by their tokens.

    A customer's weight is N / (books · taken · a hit), so that every customer counts alike; a book that holds fewer
    than its places is taken whole.
    """
    books: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        books[f"{member.unit}|{member.book}"].append(member)
    names = sorted(books)
    hits = sampling.pps([len(books[name]) for name in names], sample.clusters, sampling.start_of(key, head))
    for index in sorted(set(hits)):
        name, times = names[index], hits.count(index)
        wanted = sum(_share(sample, place) for place, hit in enumerate(hits) if hit == index)
        ordered = sorted(books[name], key=lambda one: sampling.token(key, f"{head}|{one.account}"))[:wanted]
        weight = len(members) * times / (sample.clusters * len(ordered))
        for rank, member in enumerate(ordered, 1):
            yield Drawn(member, name, rank, weight)


def _share(sample: Sample, place: int) -> int:
    """How many customers the `place`-th hit gives: the size shared out evenly, the rest to the first."""
    return sample.size // sample.clusters + (place < sample.size % sample.clusters)
