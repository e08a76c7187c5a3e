"""Floor 3: the engine, its steps, the clock and the channels. The only floor that knows RQ.

STEPS holds every step, one line an entry: key == name of its `do` half == value stored in definitions and runs.
"""

from __future__ import annotations

from models.return_words import SHEET_STATES
from models.words import IMPORT_OUTCOMES, N_, UNDO_OUTCOMES
from workflows import (
    assessments,
    balances,
    batch_changes,
    calls,
    campaigns,
    change_notices,
    competitions,
    duplicates,
    exports,
    import_trials,
    imports,
    issues,
    judging,
    letters,
    mail_forecasts,
    message_forecasts,
    messages,
    notes,
    notice_forecasts,
    notices,
    proposals,
    recipients,
    reports,
    scan_batches,
    scan_folders,
    shared_numbers,
    starts,
    trying,
    visit_forecasts,
    visits,
)
from workflows.forecasts import nothing_ahead
from workflows.steps import StepKind

SCAN_RESULTS = {name: label for name, label in SHEET_STATES.items() if name != "keyed"}

# Two or three lines an entry: the table is read as a whole.
# fmt: off
STEPS: dict[str, StepKind] = {
    "select_customers": StepKind(
        N_("选定客户"), campaigns.plan_select_customers, campaigns.select_customers, campaigns.SelectCustomers,
        results={"campaign": N_("活动编号"), "targeted": N_("选中客户"), "reply_by": N_("回复期限")},
        sets=("campaign_id",), forecast=mail_forecasts.forecast_select_customers,
    ),
    "exclude": StepKind(
        N_("剔除客户"), recipients.plan_exclude, recipients.exclude, recipients.Exclude,
        results={"excluded": N_("剔除")}, forecast=recipients.forecast_exclude,
    ),
    "sample": StepKind(
        N_("抽取一部分"), recipients.plan_sample, recipients.sample, recipients.Sample,
        results={"excluded": N_("未抽中")}, forecast=recipients.forecast_sample,
    ),
    "freeze_recipients": StepKind(
        N_("冻结名单"), campaigns.plan_freeze_recipients, campaigns.freeze_recipients,
        results={"targeted": N_("选中客户"), "excluded": N_("剔除"), "recipients": N_("发送对象")},
        sets=("letterhead",), forecast=mail_forecasts.forecast_freeze_recipients,
    ),
    "print_letters": StepKind(
        N_("打印函件"), letters.plan_print_letters, letters.print_letters, chunk=letters.BATCH,
        results={
            "letters": N_("函件"), "pages": N_("页数"), "too_long": N_("地址过长"), "missing": N_("缺字的函件"),
            "cut": N_("没有印全的函件"),
        },
        forecast=mail_forecasts.forecast_print_letters,
    ),
    "print_reminders": StepKind(
        N_("打印第二封函"), letters.plan_print_reminders, letters.print_reminders, letters.PrintReminders,
        chunk=letters.BATCH, results={"letters": N_("函件"), "pages": N_("页数"), "too_long": N_("地址过长")},
        forecast=message_forecasts.forecast_print_reminders,
    ),
    "post_letters": StepKind(
        N_("登记交寄"), letters.plan_post_letters, letters.post_letters, letters.PostLetters,
        chunk=letters.POSTED_AT_ONCE, results={"posted": N_("已交寄"), "until": N_("等待回函至")},
        forecast=mail_forecasts.forecast_post_letters,
    ),
    "send_sms": StepKind(
        N_("发送短信"), messages.plan_send_sms, messages.send_sms, messages.SendSms, chunk=1, over=("customer",),
        forecast=message_forecasts.forecast_send_sms, results={"sent": N_("已发送"), "suppressed": N_("未发送")},
    ),
    "send_email": StepKind(
        N_("发送邮件"), messages.plan_send_email, messages.send_email, messages.SendEmail, chunk=1, over=("customer",),
        forecast=message_forecasts.forecast_send_email,
        results={"sent": N_("已发送"), "suppressed": N_("未发送")},
    ),
    "remind": StepKind(
        N_("催复"), messages.plan_remind, messages.remind, messages.Remind, chunk=1,
        forecast=message_forecasts.forecast_remind,
        results={"sent": N_("已发送"), "sms": N_("短信"), "email": N_("电子邮件"), "suppressed": N_("未发送")},
    ),
    "tell_changes": StepKind(
        N_("变更告知"), change_notices.plan_tell_changes, change_notices.tell_changes, change_notices.TellChanges,
        chunk=1, results={"sent": N_("已发送"), "suppressed": N_("未发送")}, makes="messages",
    ),
    "export_file": StepKind(
        N_("导出名单文件"), exports.plan_export_file, exports.export_file, exports.ExportFile, chunk=1,
        results={"rows": N_("行数"), "file": N_("文件")}, forecast=nothing_ahead,
    ),
    "mark_silent": StepKind(
        N_("登记未回复"), campaigns.plan_mark_silent, campaigns.mark_silent, results={"silent": N_("未回复")},
        forecast=mail_forecasts.forecast_mark_silent,
    ),
    "close_campaign": StepKind(
        N_("结束活动"), campaigns.plan_close_campaign, campaigns.close_campaign,
        results={"silent": N_("未回复"), "withdrawn": N_("中止")},
        forecast=mail_forecasts.forecast_close_campaign,
    ),
    "make_visits": StepKind(
        N_("生成走访任务"), visits.plan_make_visits, visits.make_visits, visits.MakeVisits,
        results={"visits": N_("走访任务")}, forecast=visit_forecasts.forecast_make_visits, over=("customer",),
    ),
    "collect_failures": StepKind(
        N_("汇集未联系上的客户"), visits.plan_collect_failures, visits.collect_failures, visits.CollectFailures,
        results={"visits": N_("走访任务")}, forecast=visit_forecasts.forecast_collect_failures,
    ),
    "assign_visits": StepKind(
        N_("分派走访任务"), visits.plan_assign_visits, visits.assign_visits,
        results={"assigned": N_("已分派"), "lists": N_("走访清单")},
        forecast=visit_forecasts.forecast_assign_visits,
    ),
    "print_walk_lists": StepKind(
        N_("打印走访清单"), visits.plan_print_walk_lists, visits.print_walk_lists, chunk=4,
        forecast=visit_forecasts.forecast_print_walk_lists,
    ),
    "close_visits": StepKind(
        N_("结束走访"), visits.plan_close_visits, visits.close_visits, results={"cancelled": N_("已取消")},
        forecast=visit_forecasts.forecast_close_visits,
    ),
    "assess": StepKind(
        N_("质量评价"), assessments.plan_assess, assessments.assess, assessments.Assess, sets=("assessment_id",),
        results={"period": N_("月份"), "customers": N_("客户")}, forecast=notice_forecasts.forecast_assess,
    ),
    "follow_issues": StepKind(
        N_("更新问题清单"), issues.plan_follow_issues, issues.follow_issues, chunk=1,
        results={"opened": N_("新增"), "recurring": N_("重复发生"), "fixed": N_("已整改待复核")},
        forecast=notice_forecasts.forecast_follow_issues,
    ),
    "publish_assessment": StepKind(
        N_("发布结果"), assessments.plan_publish_assessment, assessments.publish_assessment,
        assessments.PublishAssessment, chunk=1, results={"number": N_("发布编号")},
    ),
    "check_publications": StepKind(
        N_("核对发布结果"), assessments.plan_check_publications, assessments.check_publications, chunk=1,
        results={"looked": N_("核对的发布"), "wrong": N_("有改动的发布")},
    ),
    "compose_notices": StepKind(
        N_("拟稿考核通报和通知单"), notices.plan_compose_notices, notices.compose_notices, notices.ComposeNotices,
        results={"bulletins": N_("考核通报"), "notices": N_("考核通知单")},
        forecast=notice_forecasts.forecast_compose_notices,
    ),
    "advance_notices": StepKind(
        N_("登记办理环节"), notices.plan_advance_notices, notices.advance_notices, notices.AdvanceNotices,
        results={"documents": N_("文稿")}, forecast=notice_forecasts.forecast_advance_notices,
    ),
    "issue_notices": StepKind(
        N_("印发"), notices.plan_issue_notices, notices.issue_notices, chunk=1, results={"issued": N_("已印发")},
        forecast=notice_forecasts.forecast_issue_notices,
    ),
    "void_notices": StepKind(
        N_("作废"), notices.plan_void_notices, notices.void_notices, results={"void": N_("已作废")},
        forecast=notice_forecasts.forecast_void_notices,
    ),
    "remind_receipts": StepKind(
        N_("催促签收"), notices.plan_remind_receipts, notices.remind_receipts,
        results={"reminded": N_("已催促单位")}, forecast=notice_forecasts.forecast_remind_receipts,
    ),
    "make_quality_report": StepKind(
        N_("生成质量月报"), reports.plan_make_quality_report, reports.make_quality_report, reports.MakeQualityReport,
        chunk=20, results={"reports": N_("月报")}, forecast=nothing_ahead,
    ),
    "import_file": StepKind(
        N_("导入客户文件"), imports.plan_import_file, imports.import_file, imports.OfBatch, chunk=1,
        results=IMPORT_OUTCOMES, forecast=nothing_ahead,
    ),
    "count_shared": StepKind(
        N_("清点一号多户"), shared_numbers.plan_count_shared, shared_numbers.count_shared, chunk=1,
        results={"numbers": N_("登记在多户上的号码")},
    ),
    "restate_shared": StepKind(
        N_("按一号多户重新判定"), shared_numbers.plan_restate_shared, shared_numbers.restate_shared, chunk=1,
        results={"changed": N_("判定有变的值")},
    ),
    "recount_reach": StepKind(
        N_("核对可达渠道"), shared_numbers.plan_recount_reach, shared_numbers.recount_reach, chunk=1,
        results={"mended": N_("改正的客户数")},
    ),
    "match_customers": StepKind(
        N_("整理比对依据"), duplicates.plan_match_customers, duplicates.match_customers, chunk=1,
        results={"customers": N_("整理的客户数")},
    ),
    "find_duplicates": StepKind(
        N_("查找重复客户"), duplicates.plan_find_duplicates, duplicates.find_duplicates, chunk=1,
        results={"pairs": N_("疑似成对数")},
    ),
    "try_import": StepKind(
        N_("试算导入"), import_trials.plan_try_import, import_trials.try_import, imports.OfBatch, chunk=1,
        results=IMPORT_OUTCOMES, forecast=nothing_ahead,
    ),
    "open_scans": StepKind(
        N_("打开扫描批次"), scan_batches.plan_open_scans, scan_batches.open_scans, scan_batches.OfScans, chunk=1,
        sets=("scan_batch_id",), forecast=nothing_ahead,
    ),
    "read_scans": StepKind(
        N_("读取扫描批次"), scan_batches.plan_read_scans, scan_batches.read_scans, scan_batches.Share, chunk=1,
        results=SCAN_RESULTS, forecast=nothing_ahead,
    ),
    "collect_scans": StepKind(
        N_("收取监视文件夹"), scan_folders.plan_collect_scans, scan_folders.collect_scans, chunk=1,
        results={"files": N_("文件"), "received": N_("扫描批次"), "refused": N_("不是扫描件")},
        forecast=nothing_ahead,
    ),
    "change_in_batch": StepKind(
        N_("批量变更"), batch_changes.plan_change_in_batch, batch_changes.change_in_batch, batch_changes.OfChange,
        chunk=1,
        results={
            "lines": N_("试算出的变更"), "proposed": N_("变更申请"), "applied": N_("已生效"), "restored": N_("已恢复"),
        },
    ),
    "undo_import": StepKind(
        N_("撤销导入批次"), imports.plan_undo_import, imports.undo_import, imports.OfBatch, chunk=1,
        results=UNDO_OUTCOMES,
    ),
    "preview_judging": StepKind(
        N_("预演重新判定"), judging.plan_preview_judging, judging.preview_judging, judging.OfSet, chunk=1,
        results={"values": N_("联系信息"), "changed": N_("判定改变")},
    ),
    "judge_again": StepKind(
        N_("重新判定"), judging.plan_judge_again, judging.judge_again, judging.OfSet, chunk=1,
        results={"changed": N_("判定改变"), "proposed": N_("变更申请")},
    ),
    "count_again": StepKind(
        N_("重新统计"), judging.plan_count_again, judging.count_again, judging.OfSet, chunk=1,
    ),
    "check_counts": StepKind(
        N_("核对统计"), judging.plan_check_counts, judging.check_counts, results={"number": N_("对不上的统计")},
    ),
    "check_letters": StepKind(
        N_("核对函件平衡"), balances.plan_check_letters, balances.check_letters, chunk=1,
        results={"number": N_("对不上的平衡")}, forecast=nothing_ahead,
    ),
    "check_sheets": StepKind(
        N_("核对扫描面"), balances.plan_check_sheets, balances.check_sheets, chunk=1,
        results={"number": N_("扫描批次的差错")}, forecast=nothing_ahead,
    ),
    "open_competition": StepKind(
        N_("开赛"), competitions.plan_open_competition, competitions.open_competition, competitions.OpenCompetition,
        sets=("competition_id",), results={"ends_on": N_("最后一天"), "entries": N_("得分记录")},
        forecast=notice_forecasts.forecast_open_competition,
    ),
    "count_competition": StepKind(
        N_("统计得分"), competitions.plan_count_competition, competitions.count_competition,
    ),
    "freeze_standings": StepKind(
        N_("定榜"), competitions.plan_freeze_standings, competitions.freeze_standings,
        results={"standings": N_("名次"), "fingerprint": N_("指纹")},
    ),
    "publish_standings": StepKind(
        N_("公示名次"), competitions.plan_publish_standings, competitions.publish_standings,
        results={"publicity_until": N_("公示到")}, forecast=notice_forecasts.forecast_publish_standings,
    ),
    "finish_competition": StepKind(
        N_("公布结果"), competitions.plan_finish_competition, competitions.finish_competition,
    ),
    "try_workflow": StepKind(
        N_("流程试运行"), trying.plan_try_workflow, trying.try_workflow, trying.OfTrial,
        results={"nodes": N_("推算过的节点")}, forecast=nothing_ahead,
    ),
    "settle_proposals": StepKind(
        N_("办理变更申请"), proposals.plan_settle_proposals, proposals.settle_proposals, proposals.SettleProposals,
        chunk=1, results={"approved": N_("审核通过"), "refused": N_("驳回"), "held": N_("没有办理")},
    ),
    "call_web_address": StepKind(
        N_("调用网址"), calls.plan_call_web_address, calls.call_web_address, calls.CallWebAddress, chunk=1,
        results={"called": N_("已调用")}, makes="calls",
    ),
    "start_workflow": StepKind(
        N_("发起另一个流程"), starts.plan_start_workflow, starts.start_workflow, starts.StartWorkflow, chunk=1,
        results={"started": N_("已发起"), "run_id": N_("流程实例编号")}, makes="runs",
        over=("customer", "unit", "staff", "value"),
    ),
    "note": StepKind(
        N_("记一条说明"), notes.plan_note, notes.note, notes.Note, queue="now", results={"text": N_("说明")},
    ),
}
# fmt: on
