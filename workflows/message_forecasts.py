"""What a trial run shows of the steps that write to customers: who would get a message, and who would not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from models import MessageTemplate
from services import message_templates, messages
from services.messages import CHUNK, Wanted
from workflows.forecasts import Ahead, Forecast, Would, dealt
from workflows.letters import PrintReminders
from workflows.messages import Remind, SendEmail, SendSms, by_first_way

MADE = {"sms": "messages", "email": "emails"}


def forecast_send_sms(session: Session, options: SendSms, facts: Any, ahead: Ahead) -> Forecast:
    """The SMS of customers that nodes before would have put on the list."""
    return _forecast(session, options, message_templates.usable(session, options.template, "sms"), ahead)


def forecast_send_email(session: Session, options: SendEmail, facts: Any, ahead: Ahead) -> Forecast:
    """The e-mails of customers that nodes before would have put on the list."""
    return _forecast(session, options, message_templates.usable(session, options.template, "email"), ahead)


def forecast_remind(session: Session, options: Remind, facts: Any, ahead: Ahead) -> Forecast:
    """The reminders of those of whom it is assumed that they do not answer."""
    chunks = _chunks(ahead, "unanswered")
    return _counted(by_first_way(session, options, messages.campaign_values(session, None), chunks))


def forecast_print_reminders(session: Session, options: PrintReminders, facts: Any, ahead: Ahead) -> Forecast:
    """A second letter for those of whom it is assumed that they do not answer."""
    shares = {name: ahead.assumed(name) for name in ("answered", "undelivered")}
    rows = (row for row, dealt_to in dealt(ahead.rows("letters"), shares) if not dealt_to)
    found: Counter[str] = Counter()

    def seconds() -> Iterator[Would]:
        for row in rows:
            found["letters"] += 1
            yield replace(row, what="reminders")

    return Forecast(seconds(), results=lambda: {"letters": found["letters"]})


def _forecast(
    session: Session, options: SendSms | SendEmail, template: MessageTemplate, ahead: Ahead
) -> Forecast:
    wanted = Wanted(template, messages.campaign_values(session, None), options.recent_days)
    return _counted(messages.plan(session, wanted, _chunks(ahead, options.whom), seen=set()))


def _counted(planned: Iterable[Any]) -> Forecast:
    found: Counter[str] = Counter()

    def results() -> dict[str, int]:
        return {name: found[name] for name in ("sent", "suppressed")}

    return Forecast(_rows(planned, found), results=results)


def _rows(planned: Iterable[Any], found: Counter[str]) -> Iterator[Would]:
    for item in planned:
        what = MADE[item["channel"]]
        if "key" in item:
            found["sent"] += 1
            yield Would(what, item["customer_id"], item["unit_id"])
        for row in item.get("suppressed", ()):
            found["suppressed"] += 1
            yield Would(what, row["customer_id"], row["unit_id"], row["reason"])


def _chunks(ahead: Ahead, whom: str) -> Iterator[Sequence[int]]:
    """The customers whom a step would write to, by what is assumed of their answers."""
    rows = ahead.rows("recipients")
    if whom != "recipients":
        shares = {name: ahead.assumed(name) for name in ("answered", "undelivered")}
        outcome = "undelivered" if whom == "undelivered" else ""
        rows = (row for row, dealt_to in dealt(rows, shares) if dealt_to == outcome)
    ids = (row.customer_id for row in rows if row.customer_id is not None)
    while chunk := list(islice(ids, CHUNK)):
        yield chunk
