"""What a trial run shows of a mail-out: who is selected and left out, letters with their cost, what comes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Contact, Customer
from models.clock import today
from models.words import N_, Said
from paper.letterheads import is_local
from services import campaigns, letterheads, postage
from services.campaigns import CHUNK, Addressed
from workflows.campaigns import SelectCustomers, plan_select_customers
from workflows.forecasts import Ahead, Forecast, Would, dealt
from workflows.letters import PostLetters
from workflows.steps import Facts, Options

SIDES = 2  # a letter in front, its form behind
ASSUMED_ANSWERS = N_("回函、退信和未回复的户数按假设的占比推算。")
POSTAGE_NOTE = N_("每封按一张A4纸、一个信封和一个回邮信封计重；收件地址在本地的按本埠资费，其余按外埠资费。")
PRICES_NOTE = N_("资费依据：%(source)s")


def forecast_select_customers(
    session: Session, options: SelectCustomers, facts: Facts, ahead: Ahead
) -> Forecast:
    """Everybody whom the segment hits now, as the plan half says."""
    counted = {"targeted": 0}
    reply_by = (today(session) + timedelta(days=options.reply_days)).isoformat()

    def rows() -> Iterator[Would]:
        for item in plan_select_customers(session, options, facts).items:
            if "customer_id" in item:
                counted["targeted"] += 1
                values = {name: item[name] for name in ("why", "address_id")}
                yield Would("customers", item["customer_id"], item["unit_id"], item["exclusion"], values)

    shared = {"reply_by": reply_by, "same_address": options.same_address}
    return Forecast(rows(), results=lambda: {**counted, "reply_by": reply_by}, sets=shared)


def forecast_freeze_recipients(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """Who stays on the list: the same two reasons are looked for as when a real list is frozen."""
    head = letterheads.current(session)
    counted = {"recipients": 0}

    def rows() -> Iterator[Would]:
        merging = campaigns.Merging(bool(facts["run"].get("same_address")))
        dropped = facts["run"].get("dropped", ())
        listed = (row for row in ahead.rows("customers") if row.customer_id not in dropped)
        for chunk in _chunks(listed):
            addressed = _addressed(session, chunk)
            reasons = dict(campaigns.misfits(addressed, merging, head))
            for row, place in zip(chunk, addressed, strict=True):
                reason = reasons.get(place.id, "")
                counted["recipients"] += not reason
                values = {**row.values, "local": is_local(place.address, head)}
                yield replace(row, what="recipients", exclusion=reason, values=values)

    return Forecast(rows(), results=lambda: dict(counted), sets={"letterhead": asdict(head)})


def forecast_print_letters(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """One letter for every recipient, with its sides, weight and postage."""
    prices, counted = postage.current(session), {"letters": 0.0, "postage": 0.0}
    grams = prices.letter_grams()
    cost = {local: prices.price(grams, local=local) for local in (True, False)}

    def rows() -> Iterator[Would]:
        for row in ahead.rows("recipients"):
            counted["letters"] += row.share
            counted["postage"] += row.share * cost[bool(row.values.get("local", True))]
            yield replace(row, what="letters")

    def figures() -> dict[str, float]:
        number = counted["letters"]
        return {"pages": SIDES * number, "grams": grams * number, "postage": counted["postage"]}

    def results() -> dict[str, float]:
        return {"letters": round(counted["letters"]), "pages": round(SIDES * counted["letters"])}

    return Forecast(rows(), figures, results, notes=(POSTAGE_NOTE, Said(PRICES_NOTE, source=prices.source)))


def forecast_post_letters(session: Session, options: PostLetters, facts: Facts, ahead: Ahead) -> Forecast:
    """What comes of the letters as is assumed; one that comes back sends somebody to the door at once."""
    until = date.fromisoformat(facts["run"]["reply_by"]) + timedelta(days=options.grace_days)
    counted = {"posted": 0.0}

    def rows() -> Iterator[Would]:
        came_back = []
        for row, outcome in _outcomes(ahead):
            counted["posted"] += row.share
            if outcome:
                yield replace(row, what=outcome)
            if outcome == "undelivered":
                came_back.append(row)
        for row, goes in dealt(came_back, {"visits": ahead.assumed("undelivered_to_door")}):
            if goes:
                yield replace(row, what=goes, values={**row.values, "origin": "undelivered"})

    results = {"until": until.isoformat()}
    return Forecast(
        rows(), results=lambda: {**results, "posted": round(counted["posted"])}, notes=(ASSUMED_ANSWERS,)
    )


def forecast_mark_silent(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """The letters that neither are answered nor come back, as is assumed."""
    counted = {"silent": 0.0}

    def rows() -> Iterator[Would]:
        for row, outcome in _outcomes(ahead):
            if not outcome:
                counted["silent"] += row.share
                yield replace(row, what="silent")

    return Forecast(rows(), results=lambda: {"silent": round(counted["silent"])}, notes=(ASSUMED_ANSWERS,))


def forecast_close_campaign(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """Nothing is left over where every node before did its part."""
    return Forecast()


def _outcomes(ahead: Ahead) -> Iterator[tuple[Would, str]]:
    shares = {name: ahead.assumed(name) for name in ("answered", "undelivered")}
    return dealt(ahead.rows("letters"), shares)


def _chunks(rows: Iterator[Would]) -> Iterator[list[Would]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _addressed(session: Session, rows: Sequence[Would]) -> list[Addressed]:
    """Name and address of would-be recipients, in their order."""
    text = func.coalesce(func.nullif(Contact.value, ""), Contact.raw)
    query = select(Customer.id, Customer.name, text).join(Contact, Contact.customer_id == Customer.id)
    query = query.where(Contact.id.in_([row.values["address_id"] for row in rows]))
    found: dict[int, Any] = {row[0]: row for row in session.execute(query)}
    return [Addressed(key, found[key][1], found[key][2]) for key in (row.customer_id or 0 for row in rows)]
