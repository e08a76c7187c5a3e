"""What only some tests need: without it they are skipped with one line, and fail where LAMPLIGHTER_TEST_ALL=1."""

from __future__ import annotations

import os
import shutil

import pytest
from sqlalchemy import create_engine, make_url, text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def own_database(variable: str) -> str:
    """The PostgreSQL that a variable names, empty where none does; of tests side by side each worker has its own."""
    worker, address = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get(variable, "")
    if not worker or not address:
        return address
    url = make_url(address)
    name = f"{url.database}_{worker}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


POSTGRES_URL = own_database("LAMPLIGHTER_TEST_POSTGRES_URL")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
needs_postgres = pytest.mark.skipif(
    not POSTGRES_URL, reason="no PostgreSQL: set LAMPLIGHTER_TEST_POSTGRES_URL to an empty database"
)
