"""A sheet becomes a returned form: its ticks as they were read, its handwriting as it was keyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from models import Keying, Letter, Sheet, Staff
from models.said import Said
from models.scope import ALL, working_as
from services import Refused, returns, tasks
from services.crops import evidence_of
from services.form_ticks import CHANNELS, OTHER, Ticks
from services.key_fields import FORM, SIGNED, marked
from services.key_rules import Settled
from services.letters import number_of
from services.return_rows import LABELS, ROWS, lines_of
from services.returns import Form, Keyed, Line

SHEET_CHOICES = ("right", "written", "ticks", "blank", "desk")
NOTHING: Mapping[str, Settled] = {}


def write_sheet(
    session: Session, sheet: Sheet, settled: Mapping[str, Settled] = NOTHING, *, staff: Staff | None = None
) -> Keyed:
    """Write the form on a sheet the way the desk writes one; refused when it contradicts itself or says nothing.

    `staff` is who keyed the last of it, None where nothing had to be keyed. The pictures become the evidence of what
    is new; fields that nobody could read are named in the result.
    """
    with working_as(session, ALL):
        letter = session.get_one(Letter, sheet.letter_id)
        keyed = returns.write_form(session, letter, form_of(sheet, letter, settled), staff=staff)
        unreadable = [name for name, one in settled.items() if one.answer == "unreadable"]
        keying = session.get_one(Keying, keyed.keying_id)
        task_id = _ask(session, letter, unreadable) if unreadable and not keying.duplicate else None
        found = {returns.SHEET: sheet.id, "unreadable": unreadable, "unreadable_task": task_id}
        keying.results = {**keying.results, **found}
        sheet.keying_id = keying.id
    return keyed


def _ask(session: Session, letter: Letter, names: Sequence[str]) -> int:
    """Somebody asks the customer what nobody could read."""
    wanted = "、".join(LABELS.get(name, name) for name in names)
    message = Said(
        "函件 %(serial)s 的回函上，%(wanted)s写了新内容，两个人都认不出。请联系客户问清后登记。",
        serial=number_of(letter),
        wanted=wanted,
    )
    task = tasks.open_task(
        session,
        "counter_request",
        Said("回函有无法辨认的内容：%(wanted)s", wanted=wanted),
        unit_id=letter.unit_id,
        customer_id=letter.customer_id,
        details={"letter": letter.id, "message": message},
        permission="returns.key",
        link=f"/admin/customers/{letter.customer_id}",
    )
    return task.id


def form_of(sheet: Sheet, letter: Letter, settled: Mapping[str, Settled] = NOTHING) -> Form:
    """The form that a sheet shows; a leader's word on the whole sheet puts ticks or writing above the other."""
    word = settled[FORM].value if FORM in settled else ""
    if word == "blank":
        return Form(blank=True, signed=False)
    on, texts = _weighed(marked(sheet), _texts(settled), word)
    return Form(
        all_same="all.same" in on,
        lines=tuple(_lines(sheet, letter, on, texts)),
        signed=SIGNED in on,
        relation=_relation(on),
        ticks=_ticks(on),
    )


def _weighed(on: set[str], texts: Mapping[str, str], word: str) -> tuple[set[str], Mapping[str, str]]:
    """Where a row has both a tick and a text, the leader's word leaves one of them; of two relations it leaves none."""
    ticked = {place for row, places in ROWS.items() for place in places if on & {f"{row}.same", "all.same"}}
    relations = {name for name in on if name.startswith("relation.")}
    if word in ("written", "ticks") and len(relations) > 1:
        on = on - relations
    if word == "ticks":
        return on, {place: text for place, text in texts.items() if place not in ticked}
    if word == "written":
        rows = {f"{row}.same" for row, places in ROWS.items() if set(places) & set(texts)}
        return on - rows - ({"all.same"} if texts else set()), texts
    return on, texts


def _texts(settled: Mapping[str, Settled]) -> dict[str, str]:
    return {name: one.value for name, one in settled.items() if one.answer == "value" and name != FORM}


def _lines(sheet: Sheet, letter: Letter, on: set[str], texts: Mapping[str, str]) -> list[Line]:
    """Under 以下信息全部无变化 the single ticks say nothing more; texts go on, for the check to refuse."""
    rows = {name.removesuffix(".same") for name in on if name.endswith(".same") and "all.same" not in on}
    found = lines_of(rows, texts, letter.facts["versions"])
    return [replace(one, crop=evidence_of(sheet, one.place) if one.text else "") for one in found]


def _relation(on: set[str]) -> str:
    found = sorted(name.partition(".")[2] for name in on if name.startswith("relation."))
    if len(found) > 1:
        raise Refused("“填表人与户主关系”勾选了不止一项。请核对原表，只保留其中一项。")
    return found[0] if found else ""


def _ticks(on: set[str]) -> Ticks:
    return Ticks(
        channels=tuple(
            (purpose, one) for purpose, ones in CHANNELS.items() for one in ones if f"{purpose}.{one}" in on
        ),
        wechat_bind="wechat.bind" in on,
        consent="consent" in on,
        other=tuple(code for code in OTHER if f"other.{code}" in on),
    )
