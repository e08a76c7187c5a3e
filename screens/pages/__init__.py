"""The tables of what browsers see, one line an entry, in the order of the menu and of the home page.

SCREENS: key == class name in snake_case == address /admin/<key>/. HOME_CARDS: who holds the permission sees the card.
ADDRESSES: blueprints outside /admin/, each of whose views says `needs` or `opened`.
"""

from __future__ import annotations

from flask import Blueprint

from screens.base import Page, Screen
from screens.cards import Source
from screens.pages import accounts, health, home

SCREENS: dict[str, type[Page] | type[Screen]] = {}

HOME_CARDS: tuple[tuple[str, Source], ...] = ()

ADDRESSES: tuple[Blueprint, ...] = (accounts.pages, health.pages, home.pages)
