"""A mailing for tests: somebody who can be reached, a run at its first message, how channels are set."""

import running
from factories import make_contact, make_customer
from flask import current_app

ADDRESS = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"
SELECT = {"id": "select", "step": "select_customers", "options": {"name": "核对", "recent_days": 0}}
FREEZE = {"id": "freeze", "step": "freeze_recipients"}


def reachable(session, **contact):
    """A customer whom the survey selects (no e-mail is recorded), with an address and a mobile number."""
    customer = make_customer(session)
    make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    make_contact(
        session, customer, **{"value": f"+86138{customer.id:08}", "raw": f"138{customer.id:08}", **contact}
    )
    return customer


def begin(session, shell, *nodes):
    return running.begin(session, shell, SELECT, FREEZE, *nodes)


def set_config(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setitem(current_app.config, name, value)
