"""The demo waits for the workers as long as they get on."""

from datetime import date

import pytest
from factories import make_staff

from models import Run, Step
from models.clock import utcnow
from seed import stage
from seed.bureau import make_bureau
from services import Refused


@pytest.fixture
def step(app, session):
    owner = make_staff(session)
    facts = {"owner_id": owner.id, "unit_id": owner.unit_id, "tree": [], "facts": {}, "state": "running"}
    run = Run(workflow_key="letters", version=1, title="核对", started_at=utcnow(), **facts)
    session.add(run)
    session.flush()
    step = Step(run_id=run.id, path="1", node="print", kind="step", state="leased", created_at=utcnow())
    session.add(step)
    session.commit()
    return step


@pytest.mark.parametrize(("finished", "ends"), [(9, "arrived"), (1, "refused")])
def test_demo_gives_up_only_where_no_step_gets_on(app, session, step, monkeypatch, tmp_path, finished, ends):
    monkeypatch.setattr(stage, "PATIENCE", 0.05)
    monkeypatch.setattr(stage, "TICK", 0.1)
    made = stage.Stage(make_bureau(1), 1, 1, tmp_path, date(2026, 10, 10), say=print)

    def look(_session):
        step.items_done += step.items_done < finished
        session.commit()
        return ends if step.items_done == 5 else None

    if ends == "refused":
        with pytest.raises(Refused, match="等不到信件"):
            made.wait_for(look, "信件")
    else:
        assert made.wait_for(look, "信件") == ends
