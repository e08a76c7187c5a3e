"""The interface words of what comes back: scan batches, sheets, keying (see models/words.py)."""

from __future__ import annotations

from models.said import N_

SHEET_STATES = {
    "accepted": N_("自动接收"),
    "review": N_("待复核"),
    "to_key": N_("待录入"),
    "keyed": N_("已录入"),
    "duplicate": N_("重复"),
    "foreign": N_("非本系统单据"),
    "front": N_("信函正面"),
    "blank": N_("空白"),
    "unidentified": N_("未识别"),
}

SHEET_REASONS = {
    "unreadable": N_("图像打不开"),
    "no_code": N_("找不到可以读出的码"),
    "two_sheets": N_("一面上有两张表的码"),
    "other_code": N_("不是本系统的码"),
    "walk_list": N_("走访清单，结果由走访人登记"),
    "other_document": N_("是走访清单或通知单，不在这里读取"),
    "unknown_token": N_("没有这个查询码的函件"),
    "same_picture": N_("同一幅图像以前读过"),
    "scanned_before": N_("这位客户的表以前扫描过"),
    "keyed_before": N_("这位客户的回函已在收发台录入"),
    "signed_before": N_("这份通知单已经签收"),
    "receipt_before": N_("这份通知单的回执以前扫描过"),
    "not_issued": N_("通知单还没有印发"),
    "objection": N_("回执写了异议，由人录入"),
    "no_map": N_("这个版本的表没有版式图"),
    "spoiled_letter": N_("函件已作废，不应寄出"),
    "late": N_("核对活动已结束"),
    "residual": N_("图像变形，方框位置对不准"),
    "few_codes": N_("四角的码读出不到三个"),
    "uncertain_tick": N_("有方框看不准是否勾选"),
    "contradiction": N_("勾选和填写互相矛盾"),
    "nothing_filled": N_("表上什么也没有填"),
    "unsigned": N_("没有签名"),
    "handwriting": N_("有手写内容要录入"),
    "assigned": N_("由人指定了函件"),
}

SCAN_BATCH_STATES = {
    "received": N_("待读取"),
    "reading": N_("读取中"),
    "done": N_("已读完"),
    "failed": N_("读取失败"),
}

SCAN_ORIGINS = {"upload": N_("上传"), "folder": N_("监视文件夹"), "shell": N_("命令行")}

KEY_QUEUES = {
    "first": N_("双人双录"),
    "once": N_("单人录入"),
    "arbitrate": N_("仲裁录入"),
    "review": N_("勾选复核"),
    "leader": N_("班组长处理"),
}

KEY_ANSWERS = {
    "value": N_("已录入"),
    "blank": N_("空白"),
    "unreadable": N_("无法辨认"),
    "leader": N_("请班组长看"),
}
