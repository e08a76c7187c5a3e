"""The tables of what browsers see, one line an entry, in the order of the menu and of the home page.

SCREENS: key == class name in snake_case == address /admin/<key>/. HOME_CARDS: who holds the permission sees the card.
ADDRESSES: blueprints outside /admin/, each of whose views says `needs` or `opened`.
"""

from __future__ import annotations

from flask import Blueprint

from screens.base import Page, Screen
from screens.cards import Source
from screens.pages import accounts, boards, health, home, phone, people, rules, settings, staff

SCREENS: dict[str, type[Page] | type[Screen]] = {
    "territories": people.Territories,
    "leaves": people.Leaves,
    "units": people.Units,
    "staff": staff.Staff,
    "roles": staff.Roles,
    "required_fields": rules.RequiredFields,
    "targets": rules.Targets,
    "policies": rules.Policies,
    "contact_kinds": settings.ContactKinds,
    "reasons": settings.Reasons,
    "holidays": settings.Holidays,
    "letterheads": settings.Letterheads,
}

HOME_CARDS: tuple[tuple[str, Source], ...] = ()

ADDRESSES: tuple[Blueprint, ...] = (accounts.pages, boards.pages, health.pages, home.pages, phone.pages)
