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
