"""What only some tests need: without it they are skipped with one line, and fail where LAMPLIGHTER_TEST_ALL=1."""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
POSTGRES_URL = os.environ.get("LAMPLIGHTER_TEST_POSTGRES_URL", "")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
needs_postgres = pytest.mark.skipif(
    not POSTGRES_URL, reason="no PostgreSQL: set LAMPLIGHTER_TEST_POSTGRES_URL to an empty database"
)
