"""What the keying desk shows of a field: its words, what was keyed before, and what the team leader may decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import KeyJob
from models.words import CHANNELS, RELATIONS
from screens import desk_forms
from services import key_jobs
from services.form_ticks import OTHER
from services.key_fields import FORM, marked, ticks_of, written_fields
from services.key_rules import Settled

LEADS = {
    "first": _l("电话、邮编由两个人各录一次，互相看不到；两次不同的由第三人裁定。"),
    "once": _l("姓名、地址、邮箱录一次；地址到不了门牌的，由另一个人再录一次。"),
    "arbitrate": _l("两次录入不一致：看图像，选定一种或重新录入。"),
    "review": _l("机器拿不准是否勾选的，看图像判定。"),
    "leader": _l("录入员请班组长看的，以及前后矛盾、没有内容的表。"),
}
WORDS = {
    "written": _l("以填写的内容为准"),
    "ticks": _l("以勾选为准"),
    "blank": _l("作空白表处理"),
    "desk": _l("已按原件在收发台录入"),
    "right": _l("机器读得对"),
}
PLACES = {place: (label, mode) for row in desk_forms.ROWS for place, label, mode in row.fields}
ROWS = {row.name: row.label for row in desk_forms.ROWS}
PURPOSES = {"outage": _l("停电信息"), "billing": _l("电费账单")}
SINGLE = {
    FORM: _l("整张表"),
    "all.same": _l("以下信息全部无变化"),
    "consent": _l("同意使用"),
    "wechat.bind": _l("愿意关注微信公众号并绑定户号"),
    "signature": _l("签名"),
    "signed_on": _l("日期"),
    "accept": _l("无异议"),
    "object": _l("有异议"),
    "statement": _l("陈述意见"),
    "received_by": _l("签收人"),
    "received_on": _l("日期"),
}


@dataclass(frozen=True)
class Before:
    """One earlier keying of a field, for whoever decides between them."""

    who: str
    answer: str
    value: str


def label_of(name: str) -> str:
    """A field or tick of the form in words."""
    group, _dot, code = name.partition(".")
    if name in SINGLE or name in PLACES:
        return str(SINGLE[name] if name in SINGLE else PLACES[name][0])
    if code == "same" and group in ROWS:
        return _("%(row)s：无变化（暂无）", row=ROWS[group])
    lists: Mapping[str, tuple[Any, Mapping[str, str]]] = {
        "relation": (_l("填表人与户主关系"), RELATIONS),
        "other": (_l("其他情况"), OTHER),
        **{purpose: (title, CHANNELS) for purpose, title in PURPOSES.items()},
    }
    title, words = lists.get(group, (group, {}))
    return _("%(group)s：%(choice)s", group=title, choice=_(words.get(code, code)))


def mode_of(name: str) -> str:
    """The keyboard that a field asks for."""
    return PLACES[name][1] if name in PLACES else "text"


def words_for(queue: str) -> dict[str, Any]:
    """The words that may be said on a whole sheet: whoever reviews it knows nothing yet of what will be keyed."""
    codes = ("right", "blank", "desk") if queue == "review" else ("written", "ticks", "blank", "desk", "right")
    return {code: WORDS[code] for code in codes}


def read_by_machine(job: KeyJob) -> Sequence[str]:
    """What the machine read on a whole sheet: its ticks, and the fields with handwriting."""
    if job.field != FORM:
        return ()
    names = [name for name in ticks_of(job.sheet) if name in marked(job.sheet)]
    return [label_of(name) for name in (*names, *(field.name for field in written_fields(job.sheet)))]


def before(session: Session, job: KeyJob) -> Sequence[Before]:
    """The earlier keyings of this field, shown only to whoever decides; of a whole sheet, what its fields came to."""
    if job.queue not in ("arbitrate", "leader"):
        return ()
    done = [one for one in key_jobs.jobs_of(session, job.sheet_id) if one.state == "done"]
    if job.field != FORM:
        return [Before(_name(one), one.answer, one.value) for one in done if one.field == job.field]
    settled = key_jobs.settled_of(session, job.sheet, done)
    fields = {name: one for name, one in settled.items() if name in PLACES and isinstance(one, Settled)}
    return [Before(label_of(name), one.answer, one.value) for name, one in fields.items()]


def _name(job: KeyJob) -> str:
    return job.keyed_by.name if job.queue != "first" and job.keyed_by else _("第%(turn)s次", turn=job.turn)


def recorded(job: KeyJob) -> str:
    """The value on record as the paper shows it, for whoever decides; hidden on the first pass."""
    if job.queue not in ("arbitrate", "leader") or job.sheet.letter is None:
        return ""
    return desk_forms.printed(job.sheet.letter).get(job.field, "")
