"""The machine outside: sealed files both ways, nothing lost, nothing twice, and no inner page."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from factories import make_contact, make_customer, make_letter
from sqlalchemy import select

from models import Contact, Reply
from models.clock import today, utcnow
from screens import reply_pages
from screens.outposts import create_outpost
from services import Refused, exchange, public_address, reply_exchange, reply_tries
from services.outposts import METADATA, Outpost

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Refusals are not held back, so that the tests are short."""
    monkeypatch.setattr(reply_pages, "SLOWNESS", 0.0)


@pytest.fixture
def letter(session, shell):
    public_address.change(session, "https://hd.example.cn")
    customer = make_customer(session, name="欧阳建国", account_no="0312345678901")
    make_contact(session, customer, "mobile", raw="13862745111", value="+8613862745111")
    made = make_letter(session, customer)
    made.campaign.reply_by = today(session) + timedelta(days=5)
    session.commit()
    return made


@pytest.fixture
def outpost(tmp_path):
    made = Outpost(tmp_path, KEY)
    yield made
    made.engine.dispose()


@pytest.fixture
def outside(tmp_path, outpost):
    return create_outpost(tmp_path, outpost).test_client()


def exported(session, folder, name="open.lampx"):
    path = folder / name
    reply_exchange.export(session, KEY, path)
    return path


def give(session, outpost):
    return outpost.load(exported(session, Path(outpost.engine.url.database).parent))


def brought(session, outpost):
    path = Path(outpost.engine.url.database).parent / "answers.lampx"
    outpost.collect(path)
    return sum(reply_exchange.take_in(session, KEY, path), reply_exchange.Imported())


def answer(outside, token, given="6274", **fields):
    page = outside.post(f"/r/{token}", data={"step": "check", "answer": given})
    if page.status_code != 200:
        return page
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)[1]
    form = {"step": "answer", "ticket": ticket, **fields}
    return outside.post(f"/R/{token.lower()}", data=form, follow_redirects=True)


def test_an_answer_travels_in_once_and_is_forgotten_outside_then(session, letter, outpost, outside):
    assert give(session, outpost).letters == 1
    assert "谢谢" in answer(outside, letter.reply_token, new_mobile="13902800241").text
    assert brought(session, outpost).recorded == 1
    again = brought(session, outpost)  # nothing goes before it is known to have arrived
    assert (again.known, again.recorded, session.query(Reply).count()) == (1, 0, 1)
    row = session.scalars(select(Contact).where(Contact.source == "self_service")).one()
    assert (row.value, row.state, letter.answered_by) == ("+8613902800241", "proposed", "online")
    loaded = give(session, outpost)
    assert (loaded.received, loaded.closed, brought(session, outpost).answers) == (1, 1, 0)
    assert "谢谢" in outside.get(f"/r/{letter.reply_token}").text


def test_the_file_holds_no_value_no_name_no_account_and_no_token(session, letter, tmp_path):
    path = exported(session, tmp_path)
    data, parts = path.read_bytes(), exchange.unseal_parts(KEY, reply_exchange.OPEN, path)
    plain = json.dumps(list(parts), ensure_ascii=False)
    secret = ("13862745111", "6274", "欧阳建国", letter.customer.account_no, letter.reply_token, letter.token)
    assert [text for text in secret if text in plain] == [] and "138****5111" in plain
    assert b"138" not in data and letter.reply_token.encode() not in data


def test_answered_letters_without_a_code_on_them_do_not_travel(session, letter, tmp_path):
    public_address.change(session, "")
    letter.facts = {**letter.facts, "letter": {**letter.facts["letter"], "reply_url": ""}}
    session.add(Reply(**kept_inside(letter)))
    session.flush()
    made = reply_exchange.export(session, KEY, tmp_path / "open.lampx")
    assert (made.letters, made.closed) == (0, 0)


def test_what_is_kept_outside_is_sealed(session, letter, outpost, outside, tmp_path):
    give(session, outpost)
    answer(outside, letter.reply_token, new_mobile="13902800241")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("replies.db*"))
    for text in ("13902800241", "6274", letter.reply_token):
        assert text.encode() not in kept


def test_files_of_another_kind_or_key_or_damaged_are_refused(session, letter, outpost, tmp_path):
    path = exported(session, tmp_path)
    data = path.read_bytes()
    cases = [(KEY, "answers", data), (bytes(32), "open", data), (KEY, "open", b"PK"), (KEY, "open", data + b"x")]
    for key, kind, wrong in (*cases, (KEY, "open", data[:-1] + bytes([data[-1] ^ 1])), (KEY, "open", data[:-9])):
        path.write_bytes(wrong)
        with pytest.raises(Refused, match="打不开"):
            list(exchange.unseal_parts(key, kind, path))


def test_no_part_of_a_file_is_left_out_moved_or_added(tmp_path):
    pieces = list(exchange.seal_parts(KEY, "open", [{"at": at} for at in range(3)]))
    path = tmp_path / "a.lampx"
    exchange.write(path, pieces)
    assert [part["at"] for part in exchange.unseal_parts(KEY, "open", path)] == [0, 1, 2]
    head, first, second, last = pieces
    shorter = [head, first, bytes([1]) + second[1:]]
    for wrong in ([head, first, last], [head, second, first, last], [head, first, second], shorter, [head]):
        exchange.write(path, wrong)
        with pytest.raises(Refused, match="打不开"):
            list(exchange.unseal_parts(KEY, "open", path))


def test_a_damaged_export_changes_nothing_outside(session, letter, outpost, tmp_path):
    give(session, outpost)
    path = exported(session, tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Refused, match="打不开"):
        outpost.load(path)
    assert outpost.question(letter.reply_token) == "phone"


def test_the_machine_outside_has_no_other_address_and_no_other_table(outside, outpost):
    rules = {rule.rule for rule in outside.application.url_map.iter_rules()}
    assert rules == {"/r/<token>", "/R/<token>"}
    for path in ("/", "/admin/", "/login", "/static/house.css", "/board/x", "/healthz", "/m/", "/api/v1/openapi.json"):
        assert outside.get(path).status_code == 404, path
    with outpost.engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    assert set(tables) == {*METADATA.tables, "reply_tries"}


@pytest.mark.slow
def test_guessing_is_limited_and_every_failure_looks_the_same(session, letter, outpost, outside):
    expired = make_letter(session, make_customer(session))
    expired.campaign.reply_by = today(session) - timedelta(days=9)
    give(session, outpost)
    tokens = (letter.reply_token, "Z" * 16, expired.reply_token, *[letter.reply_token] * reply_tries.BY_CODE)
    pages = [answer(outside, token, "1234") for token in tokens] + [answer(outside, letter.reply_token)]
    assert {(page.status_code, page.data) for page in pages} == {(403, pages[0].data)}
    assert len({outside.get(f"/r/{token}").data for token in tokens}) == 1


def test_what_no_database_keeps_is_refused_outside_and_stops_no_import(session, letter, outpost, outside):
    give(session, outpost)
    assert answer(outside, letter.reply_token, new_person="赵\x00强").status_code == 422
    said = {"key": "1" * 32, "token": letter.reply_token, "check": "phone", "at": utcnow().isoformat()}
    rows = [said | {"lines": [["person", "new", text]]} for text in ("赵\x00强", "赵强")]
    path = Path(outpost.engine.url.database).parent / "answers.lampx"
    exchange.write(path, exchange.seal_parts(KEY, reply_exchange.ANSWERS, [{"answers": rows}]))
    (taken,) = reply_exchange.take_in(session, KEY, path)
    assert (taken.unknown, taken.recorded) == (1, 1)


def test_an_older_export_is_not_loaded_over_a_newer_one(session, letter, outpost, tmp_path):
    older, newer = (exported(session, tmp_path, name) for name in ("older", "newer"))
    assert outpost.load(newer).letters == outpost.load(newer).letters == 1
    with pytest.raises(Refused, match="旧"):
        outpost.load(older)


def test_a_second_answer_by_another_way_is_kept_and_changes_nothing(session, letter, outpost, outside):
    give(session, outpost)
    answer(outside, letter.reply_token, all="same")
    letter.state = "answered"
    session.add(Reply(**kept_inside(letter)))
    session.flush()
    assert brought(session, outpost).duplicates == 1
    assert session.query(Reply).count() == 2


def kept_inside(letter):
    ids = {"letter_id": letter.id, "customer_id": letter.customer_id, "unit_id": letter.unit_id}
    stamps = {"answered_at": letter.composed_at, "recorded_at": letter.composed_at}
    said = {"key": "0" * 32, "proved_by": "phone", "came_from": "here", "results": {"outcome": "confirmed"}}
    return ids | stamps | said


def test_the_key_comes_from_the_environment_or_a_file(tmp_path, monkeypatch):
    monkeypatch.delenv(exchange.VARIABLE, raising=False)
    with pytest.raises(Refused, match="openssl"):
        exchange.load_key(tmp_path)
    (tmp_path / exchange.KEY_FILE).write_text(KEY.hex() + "\n")
    assert exchange.load_key(tmp_path) == KEY
    monkeypatch.setenv(exchange.VARIABLE, "zz")
    with pytest.raises(Refused, match="交换密钥"):
        exchange.load_key(tmp_path)
