"""How things look on every page: the language, times, badges of states, the menu; what templates may call."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from models import print_words, quality_words, return_words, task_words, words
from models.clock import ZONE
from screens import access, languages
from screens.row_words import broken_word, kinds_word, reason_word, record_word
from screens.trace_words import action_word

LISTS = SimpleNamespace(
    **{
        name: value
        for module in (words, quality_words, return_words, task_words, print_words)
        for name, value in vars(module).items()
        if name.isupper()
    }
)
TONES = {
    "good": "valid current confirmed done answered approved signed issued acknowledged final changed visited created "
    "enabled accepted posted sent right cleared applied",
    "fair": "repairable running open assigned leased updated printed publicity reviewing ready counting frozen locked "
    "printing queued uploaded building committed drawn planning planned applying",
    "warn": "suspect proposed waiting not_met silent given_back parked paused partly_failed timed_out unknown rebutted "
    "attention not_reached undoing sending",
    "bad": "invalid wrong returned refuted undelivered failed dead refused void rejected high recurring",
}
SHORT_MENU = 24  # entries that a screen shows without scrolling
TONE_OF = {code: tone for tone, codes in TONES.items() for code in codes.split()}


def register(app: Flask) -> None:
    """Give templates what they share."""
    app.jinja_env.filters.update(
        moment=moment, day=day, word=word, told=languages.told, percent=percent, tone=tone
    )
    app.jinja_env.globals.update(badge=badge, word=word, asset=asset, csrf_field=csrf_field, dict=dict)
    app.jinja_env.globals.update(may=access.may, screen_url=screen_url, customer_url=customer_url)
    app.jinja_env.globals.update(kinds_word=kinds_word, reason_word=reason_word, record_word=record_word)
    app.jinja_env.globals.update(action_word=action_word, broken_word=broken_word)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(shared)


def shared() -> dict[str, Any]:
    """What every template knows."""
    return {
        "nonce": g.get("nonce", ""),
        "menu": menu,
        "locales": languages.LOCALES,
        "locale": languages.chosen(),
        "words": LISTS,
    }


def word(code: str | None, words_of: str) -> str:
    """The interface word of a code in a closed list of models/words.py or quality_words.py, by the list's name."""
    said: dict[tuple[str, str | None], str] = g.setdefault("said", {})
    if (words_of, code) not in said:
        text = getattr(LISTS, words_of).get(code or "")
        said[words_of, code] = _(text) if text else (code or "")
    return said[words_of, code]


def badge(code: str | None, words_of: str) -> Markup:
    """A state or verdict as a small badge: its word, and a tone that never stands alone."""
    if not code:
        return Markup("")
    return Markup('<span class="state {}">{}</span>').format(tone(code), word(code, words_of))


def badge_text(tone_of: str, text: str) -> Markup:
    """A badge with a text of its own."""
    return Markup('<span class="state {}">{}</span>').format(tone_of, text)


def joined(*parts: Any) -> Markup:
    """Texts and badges one after the other."""
    return Markup(" ").join(parts)


def tone(code: str) -> str:
    """good, fair, warn, bad or mute."""
    return TONE_OF.get(code, "mute")


def moment(value: datetime | None, *, seconds: bool = False) -> str:
    """A moment in the bureau's zone, as staff write it."""
    if value is None:
        return ""
    return (
        f"{value.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
        if seconds
        else f"{value.astimezone(ZONE):%Y-%m-%d %H:%M}"
    )


def day(value: date | datetime | None) -> str:
    """A day in the bureau's zone."""
    if value is None:
        return ""
    return f"{value.astimezone(ZONE):%Y-%m-%d}" if isinstance(value, datetime) else f"{value:%Y-%m-%d}"


def percent(rate: float | None, digits: int = 2) -> str:
    """A rate from 0 to 1 as per cent; a dash where nothing was counted."""
    return "—" if rate is None else f"{rate * 100:.{digits}f}%"


def asset(name: str) -> str:
    """A file of static/ with its age in the address, so that browsers keep it until it changes."""
    kept: dict[str, str] = current_app.extensions.setdefault("assets", {})
    if name not in kept or current_app.debug:
        path = Path(current_app.static_folder or "") / name
        kept[name] = f"{path.stat().st_mtime_ns:x}" if path.exists() else "0"
    return url_for("static", filename=name, v=kept[name])


def csrf_field() -> Markup:
    """The hidden token that every posting form carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def screen_url(key: str, **values: Any) -> str:
    """The address of a screen of the table by its key."""
    for name in (f"{key}.index", f"{key}.index_view"):
        if name in current_app.view_functions:
            return url_for(name, **values)
    return url_for("home.index")


def customer_url(customer_id: int) -> str:
    """The address of one customer's page; a list asks for many, so the router is asked once a request."""
    if "customer_url" not in g:
        g.customer_url = url_for("customers.view", customer_id=1).removesuffix("1")
    return f"{g.customer_url}{customer_id}"


def menu() -> list[dict[str, Any]]:
    """The sidebar: groups with the screens that the asking person may enter; of a long one the current group is open.

    Where no group is current (the home page) the first two are open: one's own work and the customers.
    """
    if "menu" not in g:
        found = [_group(item) for item in current_app.extensions["admin"][0].menu() if item.is_category()]
        groups = [group for group in found if group["entries"]]
        short = sum(len(group["entries"]) for group in groups) <= SHORT_MENU
        current = [group["name"] for group in groups if group["active"]] or [
            group["name"] for group in groups[:2]
        ]
        g.menu = [{**group, "open": short or group["name"] in current} for group in groups]
    return list(g.menu)


def _group(item: Any) -> dict[str, Any]:
    entries = [_entry(child) for child in item.get_children()]
    return {"name": item.name, "entries": entries, "active": any(entry["active"] for entry in entries)}


def _entry(item: Any) -> dict[str, Any]:
    url = item.get_url() or ""
    return {"name": item.name, "url": url, "active": bool(url) and request.path.startswith(url)}
