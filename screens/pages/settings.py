"""Screens of what a bureau sets itself: kinds of contacts, reasons, calendar, letterhead."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import extract
from wtforms import BooleanField, validators

from models import ContactKind, Holiday, Letterhead, Reason, db
from models.words import DAY_KINDS, OUTCOMES
from screens import rows
from screens.base import Screen
from screens.filters import Filter
from screens.forms import ChoiceField, WholeField, choices

JUDGED_AS = (
    ("phone", _l("电话号码")),
    ("address", _l("地址")),
    ("postcode", _l("邮政编码")),
    ("email", _l("电子邮箱")),
    ("wechat", _l("微信")),
    ("name", _l("姓名、名称")),
    ("text", _l("其他文字")),
)

REASON_LISTS = {
    "undelivered": _l("退信原因"),
    "visit_result": _l("走访结果"),
    "exclusion": _l("剔除原因"),
    "proposal_refused": _l("驳回原因"),
    "message_failure": _l("发送失败"),
    "audit_verdict": _l("核查结论"),
    "complaint_cause": _l("诉求原因"),
    "reveal": _l("查看明文的用途"),
    "waived": _l("免考核原因"),
}

CONSEQUENCES = {
    "reached": _l("见到了客户"),
    "confirms": _l("算作核实"),
    "refutes_address": _l("地址记为核实有误"),
    "refutes_number": _l("号码记为核实有误"),
    "makes_visit": _l("生成走访任务"),
    "stops_mail": _l("不再给这位客户寄信"),
    "other_channel": _l("催复改用短信、邮件"),
}


class ContactKinds(Screen):
    """The kinds of contacts; a kind in use cannot be taken away, so none can be deleted here."""

    table = ContactKind
    permission, change_permission = "settings.view", "settings.edit"
    label, group = _l("联系信息种类"), "rules"
    can_create = can_edit = True
    column_list = ("label", "code", "judged_as", "position")
    column_labels = {
        "label": _l("名称"),
        "code": _l("代码"),
        "judged_as": _l("按什么规则判定"),
        "position": _l("顺序"),
    }
    column_descriptions = {"code": _l("小写英文字母和下划线，建好后不能改。")}
    column_default_sort = "position"
    column_sortable_list = ()
    column_formatters = {
        "label": rows.as_label,
        "judged_as": lambda _v, _c, row, _n: dict(JUDGED_AS).get(row.judged_as, row.judged_as)
    }
    form_columns = ("code", "label", "judged_as", "position")
    form_choices = {"judged_as": JUDGED_AS}
    form_args = {"code": {"validators": [validators.Regexp(r"^[a-z][a-z_]{1,29}$")]}}
    traced = ("label", "judged_as", "position")

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.code
        return form


class Reasons(Screen):
    """The lists of reasons with what follows from each; codes that are stored stay."""

    table = Reason
    permission, change_permission = "settings.view", "settings.edit"
    label, group = _l("原因清单"), "rules"
    lead = _l("退信、走访、驳回等各种原因，以及选中后自动发生什么。")
    can_create = can_edit = True
    page_size = 200
    column_list = ("label", "list", "code", "consequences")
    column_labels = {
        "label": _l("原因"),
        "list": _l("清单"),
        "code": _l("代码"),
        "consequences": _l("随后发生"),
        "position": _l("顺序"),
    }
    column_default_sort = [("list", False), ("position", False)]
    column_sortable_list = ()
    column_formatters = {
        "label": rows.as_label,
        "list": lambda _v, _c, row, _n: REASON_LISTS.get(row.list, row.list),
        "consequences": lambda _v, _c, row, _n: what_follows(row),
    }
    filters = (
        Filter(
            "list",
            _l("清单"),
            tuple(REASON_LISTS.items()),
            lambda query, value: query.filter(Reason.list == value),
        ),
    )
    form_columns = ("list", "code", "label", "position", *CONSEQUENCES, "retry_after_days", "outcome")
    form_choices = {"list": tuple(REASON_LISTS.items())}
    form_args = {"code": {"validators": [validators.Regexp(r"^[a-z][a-z_]{1,39}$")]}}
    form_extra_fields = {name: BooleanField(label) for name, label in CONSEQUENCES.items()} | {
        "retry_after_days": WholeField(
            _l("隔几天再试"), [validators.Optional(), validators.NumberRange(1, 365)]
        ),
        "outcome": ChoiceField(_l("发送对象的结局"), choices=[("", "—"), *choices(OUTCOMES)]),
    }
    traced = ("label", "consequences")

    def edit_form(self, obj: Any = None) -> Any:
        form = super().edit_form(obj)
        del form.list
        del form.code
        return form

    def on_form_prefill(self, form: Any, id: Any) -> None:
        row = self.get_one(id)
        for name in (*CONSEQUENCES, "retry_after_days", "outcome"):
            if not form.errors and row is not None:
                form[name].data = row.consequences.get(name, "" if name == "outcome" else None)

    def fill(self, form: Any, model: Any, *, created: bool) -> None:
        found = {name: form[name].data for name in (*CONSEQUENCES, "retry_after_days", "outcome")}
        for name in found:
            del form[name]
        super().fill(form, model, created=created)
        model.consequences = {name: value for name, value in found.items() if value}


def what_follows(row: Reason) -> str:
    """The consequences of a reason as a sentence."""
    found = [str(label) for name, label in CONSEQUENCES.items() if row.consequences.get(name)]
    if row.consequences.get("retry_after_days"):
        found.append(_("隔 %(days)s 天再试", days=row.consequences["retry_after_days"]))
    if row.consequences.get("outcome"):
        found.append(_("结局：%(outcome)s", outcome=_(OUTCOMES.get(row.consequences["outcome"], ""))))
    return _("；").join(found)


def years() -> list[tuple[int, str]]:
    """The years of which days are listed."""
    found = (
        db.session.query(extract("year", Holiday.day))
        .distinct()
        .order_by(extract("year", Holiday.day).desc())
    )
    return [(int(year), str(int(year))) for (year,) in found]


class Holidays(Screen):
    """Days on which the calendar differs from the week; deadlines in working days count by it."""

    table = Holiday
    permission, change_permission = "settings.view", "settings.edit"
    label, group = _l("节假日和调休"), "settings"
    lead = _l("国务院公布的放假和调休日；录入时限、公示期等按工作日计算时用。没列出的日子按周一到周五上班。")
    can_create = can_edit = can_delete = True
    page_size = 100
    column_list = ("day", "kind", "name")
    column_labels = {"day": _l("日期"), "kind": _l("类型"), "name": _l("名称")}
    column_formatters = {"kind": rows.as_word("DAY_KINDS"), "name": rows.as_label}
    column_default_sort = ("day", True)
    column_sortable_list = ("day",)
    filters = (
        Filter(
            "year",
            _l("年份"),
            years,
            lambda query, value: query.filter(extract("year", Holiday.day) == int(value)),
        ),
    )
    form_columns = ("day", "kind", "name")
    form_choices = {"kind": choices(DAY_KINDS)}
    traced = ("day", "kind", "name")


class Letterheads(Screen):
    """What belongs to one bureau on paper: names, hotline, return address, prefixes."""

    table = Letterhead
    permission, change_permission = "settings.view", "settings.edit"
    label, group = _l("红头与落款"), "settings"
    lead = _l("印在函件、通报、通知单上的本局名称、热线和退回地址。改动只影响以后印的文件。")
    can_edit = True
    column_list = ("name", "organ", "department", "hotline")
    column_labels = {
        "name": _l("配置名"),
        "organ": _l("单位全称"),
        "organ_short": _l("单位简称"),
        "department": _l("部门"),
        "hotline": _l("服务热线"),
        "website": _l("网址"),
        "wechat": _l("微信公众号"),
        "return_address": _l("退回和回函地址"),
        "return_postcode": _l("退回邮编"),
        "province_city": _l("本地省市(信封上省略)"),
        "bulletin_prefix": _l("通报文号字头"),
        "notice_prefix": _l("通知单编号字头"),
        "form_code": _l("表单编号"),
        "postage_mark": _l("邮资标志文字"),
        "copy_to": _l("抄送"),
        "appeal_contact": _l("申诉受理"),
    }
    column_sortable_list = ()
    form_columns = tuple(name for name in column_labels if name != "name")
    form_args = {
        "return_postcode": {"validators": [validators.Optional(), validators.Regexp(r"^\d{6}$")]},
        "organ": {"validators": [validators.DataRequired()]},
    }
    traced = form_columns
