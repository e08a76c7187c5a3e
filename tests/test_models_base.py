from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from models import Setting, db
from models.search import is_in_models


def test_models_match_migrations(session):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_in_models})
        assert compare_metadata(context, db.metadata) == []


def test_reading_session_cannot_write(session):
    session.commit()
    session.info["readonly"] = True
    session.add(Setting(key="x", value=1))
    with pytest.raises(Exception, match="readonly|read-only"):
        session.flush()
    session.rollback()


def test_one_initial_migration_exists():
    assert len(list(Path("migrations/versions").glob("*.py"))) >= 1
