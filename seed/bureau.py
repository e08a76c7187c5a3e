"""The generated bureau: its units in a tree and its staff, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from seed import read_table
from seed.names import Names, load_names, person
from seed.phones import load_blocks, mobile

HEADS = ("station_head", "department_head", "team_leader")


@dataclass(frozen=True)
class BureauUnit:
    """One unit as `units import` takes it, with the town its customers live in and its share of them."""

    code: str
    short: str
    name: str
    parent: str
    kind: str
    area_code: str
    region: str
    deadline_days: int
    town: str
    share: int


@dataclass(frozen=True)
class Person:
    """One member of staff with the role, the login and the mobile."""

    login: str
    name: str
    unit: str
    role: str
    phone: str


@dataclass(frozen=True)
class Bureau:
    """Units (parents before children) and staff; `teams` are the logins by unit and role."""

    units: tuple[BureauUnit, ...]
    staff: tuple[Person, ...]
    teams: dict[tuple[str, str], tuple[Person, ...]]

    def unit(self, code: str) -> BureauUnit:
        """The unit of a code."""
        return next(unit for unit in self.units if unit.code == code)

    def served_units(self) -> tuple[BureauUnit, ...]:
        """Units that serve a town themselves."""
        return tuple(unit for unit in self.units if unit.town)

    def county_of(self, unit: BureauUnit) -> BureauUnit:
        """The county bureau above a unit: the large customers belong there."""
        while unit.kind != "county_bureau":
            unit = self.unit(unit.parent)
        return unit

    def head_of(self, code: str) -> Person:
        """Who answers for a unit: its head, else whoever heads the unit above."""
        found = next((self.teams[code, role][0] for role in HEADS if (code, role) in self.teams), None)
        return found or self.head_of(self.unit(code).parent)

    def one(self, unit: str, role: str, number: int = 0) -> Person:
        """Whoever holds a role in a unit; `number` goes round where there are several."""
        team = self.teams[unit, role]
        return team[number % len(team)]


def make_bureau(seed: int) -> Bureau:
    """Twelve units and sixty staff; the units are fixed, the people are drawn."""
    units = tuple(_unit(row) for row in read_table("bureau"))
    staff = tuple(_staff(Random(f"{seed}|staff"), load_names()))
    teams: dict[tuple[str, str], tuple[Person, ...]] = {}
    for who in staff:
        teams[who.unit, who.role] = (*teams.get((who.unit, who.role), ()), who)
    return Bureau(units, staff, teams)


def _unit(row: dict[str, Any]) -> BureauUnit:
    texts = {
        name: row[name] for name in ("code", "short", "name", "parent", "kind", "area_code", "region", "town")
    }
    return BureauUnit(**texts, deadline_days=int(row["deadline_days"]), share=row["weight"])


def _staff(rng: Random, names: Names) -> list[Person]:
    blocks = load_blocks()
    found: list[Person] = []
    for post in read_table("posts"):
        for _ in range(int(post["number"])):
            name = _new_name(rng, names, {who.name for who in found})
            login = _login(name, names, {who.login for who in found})
            found.append(Person(login, name, post["unit"], post["role"], mobile(rng, blocks)))
    return found


def _new_name(rng: Random, names: Names, taken: set[str]) -> str:
    while True:
        name = person(rng, names)
        if name not in taken and not set(name) & set(names.rare):
            return name


def _login(name: str, names: Names, taken: set[str]) -> str:
    """Pinyin of the name; a number follows where two people would get the same."""
    surname = next((part for part in (name[:2], name[0]) if part in names.pinyin), name[0])
    letters = names.pinyin[surname] + "".join(names.pinyin[sign] for sign in name[len(surname) :])
    return next(login for login in (letters, *(f"{letters}{n}" for n in range(2, 99))) if login not in taken)
