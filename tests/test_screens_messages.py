"""Messages and their templates on screen; what starts on an event."""

import pytest
from browsing import browse
from factories import make_campaign, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import EventSubscription, Message, MessageTemplate, Recipient
from models.clock import now
from services import messages, quiet_hours
from services.workflows import Definition, publish


@pytest.fixture
def specialist(app, session):
    return browse(app, session, make_staff(session, "service_specialist"))


def sent(session, customer, state="sent", **facts):
    about = {"customer_id": customer.id, "unit_id": customer.unit_id, "channel": "sms", "purpose": "business"}
    messages.begin(session, f"sms-{customer.id}", about | {"text": "【南供】您好"} | facts)
    row = session.scalars(select(Message).where(Message.key == f"sms-{customer.id}")).one()
    row.state, row.sent_at = state, now(session)
    return row


def test_the_list_of_messages_says_what_became_of_each(app, session, specialist):
    one, two = make_customer(session, name="张三丰"), make_customer(session)
    sent(session, one, campaign_id=make_campaign(session).id)
    messages.keep_suppressed(
        session, [{"customer_id": two.id, "unit_id": two.unit_id, "reason": "opted_out"}],
        {"channel": "sms", "purpose": "business"},
    )  # fmt: skip
    session.commit()
    shown = specialist.get("/admin/messages/").text
    assert "【南供】您好" in shown and "已退订" in shown and "张三丰" not in shown
    assert "【南供】您好" not in specialist.get("/admin/messages/?state=suppressed").text


def test_the_list_of_recipients_says_which_way_worked(session, specialist):
    customer, campaign = make_customer(session), make_campaign(session)
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id}
    session.add(Recipient(campaign_id=campaign.id, **facts))
    path = f"/admin/campaigns/{campaign.id}/recipients"
    session.commit()
    assert "短信" not in specialist.get(path).text
    sent(session, customer, campaign_id=campaign.id)
    about = {"channel": "email", "purpose": "business", "campaign_id": campaign.id}
    messages.keep_suppressed(session, [{**facts, "reason": "no_value"}], about)
    session.commit()
    shown = specialist.get(path).text
    assert "短信" in shown and "已发送" in shown and "电子邮件" not in shown


def test_nobody_sees_messages_of_another_unit(app, session):
    customer = make_customer(session, make_unit(session))
    sent(session, customer)
    session.commit()
    clerk = browse(app, session, make_staff(session, "clerk", make_unit(session)))
    assert "【南供】您好" not in clerk.get("/admin/messages/").text


def test_a_template_is_looked_at_kept_and_refused(session, specialist):
    form = {
        "name": "通知",
        "key": "mine",
        "channel": "sms",
        "purpose": "business",
        "body": "您好 {户名}",
        "enabled": "1",
    }
    seen = specialist.post("/admin/message_templates/new", form | {"preview": "1"}).text
    assert "您好 张*" in seen and "5 字，1 条" in seen
    wrong = specialist.post("/admin/message_templates/new", form | {"body": "您好 {手机}"})
    assert wrong.status_code == 422 and "没有字段「{手机}」" in wrong.text and "{手机}" in wrong.text
    assert specialist.post("/admin/message_templates/new", form).status_code == 303
    row = session.scalars(select(MessageTemplate).where(MessageTemplate.key == "mine")).one()
    specialist.post(
        f"/admin/message_templates/{row.id}", {"name": "改名", "purpose": "outage", "body": "再见"}
    )
    session.expire_all()
    assert (row.name, row.body, row.enabled, row.channel) == ("改名", "再见", False, "sms")
    assert "改名" in specialist.get("/admin/message_templates/").text


def test_quiet_hours_are_set_on_the_page(session, specialist):
    specialist.post("/admin/message_templates/quiet", {"from": "22:00", "until": "07:30"})
    assert quiet_hours.quiet_hours(session) == {"from": "22:00", "until": "07:30"}


def test_a_subscription_is_made_followed_and_stopped(app, session, shell, root, specialist):
    nodes = [{"id": "shared", "step": "import_file"}]
    publish(session, Definition("test", "清点", "", "workflows.start", nodes, ""), shell)
    session.commit()
    assert "还没有事件触发" in specialist.get("/admin/event_subscriptions/").text
    assert "函件被退回" in specialist.get("/admin/event_subscriptions/new").text
    path = "/admin/event_subscriptions/new"
    shown = specialist.get(f"{path}?event=import_finished&workflow=test").text
    assert 'value="{batch_id}"' in shown
    form = {"event": "import_finished", "workflow": "test", "name": "导完就查", "unit": str(root.id)}
    wrong = specialist.post(path, form | {"shared.batch": "{nobody}"})
    assert wrong.status_code == 422 and "可用的有" in wrong.text
    assert specialist.post(path, form | {"shared.batch": "{batch_id}"}).status_code == 303
    row = session.scalars(select(EventSubscription)).one()
    assert "导入完成的时候发起“清点”" in specialist.get(f"/admin/event_subscriptions/{row.id}").text
    specialist.post(f"/admin/event_subscriptions/{row.id}/edit", form | {"name": "改名", "shared.batch": "7"})
    specialist.post(f"/admin/event_subscriptions/{row.id}/switch", {"enabled": ""})
    session.expire_all()
    assert (row.name, row.options["shared.batch"], row.enabled) == ("改名", "7", False)
    specialist.post(f"/admin/event_subscriptions/{row.id}/delete")
    assert session.scalars(select(EventSubscription)).all() == []


def test_a_reason_narrows_an_event(session, shell, root, specialist):
    publish(
        session,
        Definition("test", "再催", "", "workflows.start", [{"id": "w", "wait": {"days": 1}}], ""),
        shell,
    )
    session.commit()
    shown = specialist.get("/admin/event_subscriptions/new?event=letter_undelivered&workflow=test").text
    assert "迁移新址不明" in shown
    form = {
        "event": "letter_undelivered",
        "workflow": "test",
        "name": "退信",
        "unit": str(root.id),
        "reason": "moved",
    }
    specialist.post("/admin/event_subscriptions/new", form)
    row = session.scalars(select(EventSubscription)).one()
    assert row.condition == {"field": "reason", "op": "eq", "value": "moved"}
    assert "迁移新址不明" in specialist.get(f"/admin/event_subscriptions/{row.id}").text
