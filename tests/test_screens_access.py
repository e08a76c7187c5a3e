"""Closed unless opened: every address of the site, as a stranger, as somebody else, and as the tables say."""

import csv
import re
from types import SimpleNamespace

import pytest
from browsing import browse
from factories import make_staff

from models.home import CHECKOUT
from screens import access
from screens.base import Page, Screen
from screens.pages import HOME_CARDS, SCREENS
from screens.permissions import PERMISSIONS

# Addresses that strangers may open, each with its reason at the view: whoever adds one says so here as well.
OPEN = {
    "reply.reply",
    "static",
    "admin.static",
    "accounts.sign_in",
    "accounts.language",
    "health.healthz",
    "health.readyz",
    "board.show",
    "board.revision",
    "board.rows",
}
WRITING = {"POST", "PUT", "PATCH", "DELETE"}


def addresses(app):
    """Every rule with every method, its variables filled with what exists nowhere; of a choice, with the first."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "999999999", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule))
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path


def seeded():
    with open(CHECKOUT / "seed" / "permissions.csv", encoding="utf-8") as file:
        return {row["permission"] for row in csv.DictReader(file)}


@pytest.mark.slow
def test_strangers_enter_nothing_that_is_not_opened(app, session):
    client = app.test_client()
    for endpoint, method, path in addresses(app):
        if endpoint in OPEN:
            continue
        answer = client.open(path, method=method)
        to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
        assert to_sign_in or answer.status_code in (400, 401), f"{method} {path}: {answer.status_code}"


def test_only_the_listed_addresses_are_open(app):
    views = app.view_functions.items()
    assert {name for name, view in views if access.is_open(name, view)} == OPEN


@pytest.mark.slow
def test_who_has_no_permission_enters_nothing(app, session):
    nobody = make_staff(session)
    nobody.roles = []
    browser = browse(app, session, nobody)
    views = app.view_functions.items()
    anybody = {name for name, view in views if access.SIGNED_IN in getattr(view, "permissions", ())}
    anybody |= OPEN | {"admin.index"}
    for endpoint, method, path in addresses(app):
        if endpoint not in anybody:
            answer = browser.get(path) if method == "GET" else browser.post(path)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"


def test_every_view_that_writes_names_its_own_permission(app):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        switched_off = rule.endpoint.endswith(".ajax_update")
        if rule.methods & WRITING and not switched_off and not access.is_open(rule.endpoint, view):
            assert access.permissions_of(view, reading=False), f"{rule.endpoint} is closed to everybody"


def test_every_permission_that_is_asked_for_is_seeded(app):
    asked = {permission for permission, _source in HOME_CARDS}
    for view in app.view_functions.values():
        asked |= set(access.permissions_of(view, reading=True)) | set(
            access.permissions_of(view, reading=False)
        )
    assert asked - {"", access.SIGNED_IN} <= seeded()


def test_the_roles_page_knows_every_permission():
    assert set(PERMISSIONS) == seeded()


@pytest.mark.parametrize("key", SCREENS)
def test_a_screen_s_key_is_its_name(key):
    name = SCREENS[key].__name__
    assert re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() == key
    assert SCREENS[key].label and SCREENS[key].permission


@pytest.mark.parametrize("key", [key for key, screen in SCREENS.items() if issubclass(screen, Screen)])
def test_a_form_has_exactly_the_columns_it_names(app, key):
    view = app.view_functions[f"{key}.index_view"].__self__
    with app.test_request_context():
        fields = set(view._create_form_class()._fields) - {"csrf_token"}
    assert view.form_columns and set(view.form_columns) == fields
    assert not (view.can_export or view.column_editable_list or view.form_ajax_refs)


def test_a_page_without_permission_is_closed():
    class Forgotten(Page):
        label = "x"

    assert Forgotten.permissions_for(SimpleNamespace(permission=""), "index", reading=True) == ()
