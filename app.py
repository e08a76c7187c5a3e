"""Puts Lamplighter together: configuration, extensions, and the command line. Imported by nobody."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_security import Security, SQLAlchemyUserDatastore

import seed
from models import Role, Staff, db
from models.base import ENGINE_OPTIONS, prepare_engine
from models.home import CHECKOUT, home_path, load_secrets
from models.processes import queue_url
from screens.commands import main
from services import public_address

PREFIX = "LAMPLIGHTER_"
TIMES = f"{PREFIX}WORKFLOW_"
CHANNELS = tuple(f"{PREFIX}{name}_" for name in ("SMS", "MAIL", "CALL"))


def create_app(**overrides: Any) -> Flask:
    """The app that commands, workers and the clock run in: configuration, database, accounts; no pages."""
    app = Flask("lamplighter", root_path=str(CHECKOUT), template_folder="templates", static_folder="static")
    app.config.from_mapping(_defaults())
    app.config.from_mapping(_from_environment())
    public_address.check_environment()
    app.config.from_mapping(overrides)
    _connect(app)
    return app


def create_web(**overrides: Any) -> Flask:
    """The app with all pages; they are loaded here, so that commands do not pay for them."""
    app = create_app(**overrides)
    importlib.import_module("screens.site").register(app)
    return app


def _defaults() -> dict[str, Any]:
    home = home_path()
    secrets = load_secrets(home)
    return {
        **secrets,
        "HOME": home,
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{home / 'lamplighter.db'}",
        "SQLALCHEMY_ENGINE_OPTIONS": ENGINE_OPTIONS,
        "REDIS_URL": queue_url(home),
        "MAX_CONTENT_LENGTH": 2**30,
        "MAX_FORM_PARTS": 20_000,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "SESSION_COOKIE_NAME": "lamplighter",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "BABEL_DEFAULT_LOCALE": "zh_CN",
        "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
        "SECURITY_USERNAME_ENABLE": True,
        "SECURITY_USERNAME_REQUIRED": True,
        "SECURITY_USERNAME_MIN_LENGTH": 2,
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"username": {"mapper": str.strip}}],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_REGISTERABLE": False,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
    }


def _from_environment() -> dict[str, Any]:
    names = {"DATABASE_URL": "SQLALCHEMY_DATABASE_URI", "REDIS_URL": "REDIS_URL"}
    names |= {"SCAN_FOLDER": "SCAN_FOLDER", "PROXY_HOPS": "PROXY_HOPS"}
    found = {key: os.environ[PREFIX + name] for name, key in names.items() if os.environ.get(PREFIX + name)}
    url = found.get("SQLALCHEMY_DATABASE_URI", "")
    if url.startswith("postgresql://"):
        found["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    found |= {
        key.removeprefix(PREFIX): value for key, value in os.environ.items() if key.startswith(CHANNELS) and value
    }
    times = {
        key.removeprefix(TIMES).lower(): value for key, value in os.environ.items() if key.startswith(TIMES)
    }
    return found | {"WORKFLOW_TIMES": times} if times else found


def _connect(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    Migrate(app, db, directory=str(CHECKOUT / "migrations"), render_as_batch=True)
    Security(app, SQLAlchemyUserDatastore(db, Staff, Role), register_blueprint=False)
    app.extensions["first_data"] = seed.load


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], create_app))
