"""What goes wrong, said plainly: what, why, what to do. Nothing of a request that went wrong is kept."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from models import db
from models.scope import OutOfScope
from screens import reply_pages
from screens.access import READING
from screens.messages import refuse, said
from services import Refused

PAGES = {
    400: (_l("这个请求看不懂"), _l("请返回上一页再试一次；如果是刷新了很久以前打开的页面，请重新打开它。")),
    401: (_l("请先登录"), _l("登录已失效，请重新登录后再操作；刚才的操作没有执行。")),
    403: (_l("没有权限"), _l("您的角色或单位范围看不到这里。工作需要时，请联系系统管理员调整角色。")),
    404: (_l("没有这个页面"), _l("地址可能写错了，或者这条记录不在您的范围内。")),
    405: (_l("这个地址不能这样打开"), _l("请从菜单或按钮进入。")),
    413: (_l("文件太大"), _l("单个文件最大 1 GB，XLSX 最大 100 MB。请拆分后再上传。")),
    429: (_l("操作太频繁"), _l("请稍后再试。")),
    500: (_l("系统出错了"), _l("刚才的操作没有保存。请再试一次；仍然出错时，请把出错时间告诉系统管理员。")),
    503: (_l("数据库暂时用不了"), _l("刚才的操作没有保存。请过一会儿再试。")),
}


def register(app: Flask) -> None:
    """One handler for every kind of failure."""
    app.register_error_handler(CSRFError, expired_form)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(OutOfScope, out_of_scope)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(HTTPException, plain_page)
    app.register_error_handler(500, plain_page)


def plain_page(error: HTTPException) -> Any:
    """A status as a page in the shell, in the words of this house."""
    code = error.code or 500
    if code < 400:
        return error
    db.session.rollback()
    if reply_pages.is_customers(request.path):
        return reply_pages.failed(error)
    title, advice = PAGES.get(code, PAGES[400 if code < 500 else 500])
    return render_template("screens/error.html", code=code, title=title, advice=advice), code


def expired_form(_error: CSRFError) -> Any:
    """A form without the right token: nothing was done."""
    db.session.rollback()
    advice = _l("页面打开得太久，或不是从本系统打开的。请返回上一页，刷新后再提交一次；刚才的操作没有执行。")
    return render_template("screens/error.html", code=400, title=_l("表单已过期"), advice=advice), 400


def refused(refusal: Refused) -> Any:
    """A service refused: back to where the person was, with its message."""
    refuse(said(refusal))
    if request.method in READING:
        return render_template("screens/error.html", code=409, title=_("没有完成"), advice=said(refusal)), 409
    return redirect(_back(), 303)


def out_of_scope(_error: OutOfScope) -> Any:
    """Somebody tried to write outside their unit or their own customers."""
    db.session.rollback()
    title, advice = PAGES[403]
    return render_template("screens/error.html", code=403, title=title, advice=advice), 403


def database_away(error: OperationalError) -> Any:
    """The database is locked or gone: no half page, and a word for the log."""
    db.session.rollback()
    current_app.logger.error("database: %s", error.orig)
    title, advice = PAGES[503]
    return (
        render_template("screens/error.html", code=503, title=title, advice=advice),
        503,
        {"Retry-After": "5"},
    )


def _back() -> str:
    """The page the person came from, if it is ours and can be read."""
    referrer = request.referrer or ""
    return referrer if referrer.startswith(request.host_url) else url_for("home.index")
