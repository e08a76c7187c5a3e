"""Judging names: of persons and of companies, kept as given, rare characters and all."""

from __future__ import annotations

import re
import unicodedata

from quality.texts import read_missing
from quality.verdicts import NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid, one

_LONGEST = 100
_HAN = "\u3007\u3400-\u9fff\U00020000-\U0003ffff\uf900-\ufaff\ue000-\uf8ff"
_COMPANY = re.compile(
    r"公司|有限|集团|企业|工厂|厂$|[^王李张]店$|商行|商店|商场|超市|酒店|宾馆|饭店|餐厅|餐馆|门市|经营部|服务部"
    r"|事务所|研究[院所]"
    r"|[医学法]院|学校|中学|小学|大学|幼儿园|银行|支行|分行|信用社|合作社|供销社|委员会|村委|居委|政府|办事处"
    r"|派出所|[管总分支大]队"
    r"|管理处|管理局|[供电税务水公安教育财政交通农业民政建设监督卫生]{2}局$|中心|协会|学会|基金会|车站|码头|农场"
    r"|林场|市场|工作室|物业|项目部"
    r"|[部队]队$|部队|寺$|教堂|祠堂|加油站|养殖场|合伙|个体|设计院|药房|诊所|\b(?:co|ltd|inc|llc|corp|company"
    r"|limited)\b",
    re.IGNORECASE,
)
_TITLES = (
    "先生|女士|小姐|太太|夫人|师傅|老师|老板娘?|总?经理|总监|主任|科长|处长|局长|部长|所长|站长|队长|组长|书记|村长"
    "|会计|医生|同志|阿姨|叔叔?|大哥|大姐|伯伯|婶婶"
)
_SHORT_TITLES = "[生总工姐哥嫂伯叔姨婶董太]"
_COMPOUND = frozenset(
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 司空 夏侯 南宫 长孙 宇文 端木 独孤 轩辕 澹台 呼延"
    " 西门 百里 第五 钟离 濮阳 闻人"
    " 赫连 东郭 万俟 申屠 淳于 太史 拓跋 完颜 纳兰 鲜于 闾丘 宗政 巫马 公冶 乐正 漆雕 壤驷 公良 夹谷 谷梁 左丘"
    " 东门 南门 欧陽".split()
)
_ONLY_TITLE = re.compile(rf"[老小阿大][{_HAN}]|[老小阿]?[{_HAN}](?:{_TITLES})|[{_HAN}]{_SHORT_TITLES}")
_COMPOUND_TITLE = re.compile(rf"([{_HAN}]{{2}})(?:{_TITLES}|{_SHORT_TITLES})")
_WITH_TITLE = re.compile(
    rf"([{_HAN}]{{2,4}})(?:先生|女士|小姐|太太|师傅|老师|老板|经理|总经理|主任|科长|书记|会计|同志|医生)"
)
_JUNK = frozenset(
    "测试 测试用户 测试客户 无名 无名氏 用户 客户 业主 户主 本人 住户 居民 房主 房东 租户 租客 机主 同上 同户名"
    " 自己 家属 联系人 姓名 户名 名字"
    " 负责人 法人 经办人 管理员 员工 未命名 匿名 某某 某 abc test ceshi xxx aaa asdf qwe qwer demo admin user"
    " name 1 11 111 123"
    " 公司 有限公司 单位 物业 管理处 大户 散户 新户 老户 电表 用电户 空户 空房 空置".split()
)
_LOST = re.compile(r"[?？□■\ufffd〓▯]")
_MASKED = re.compile(r"[*＊×●○]|(?<=[\u3400-\u9fff])[xX]{1,3}(?![A-Za-z])")
_NARROW = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_NOTE = re.compile(
    r"\s*(?:[(（][^()（）]*[)）]|[:：,，]?\s*(?:电话|手机|tel)?[:：]?\s*\+?\d[\d\s-]{6,}\d)\s*", re.IGNORECASE
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤霍区麦冼"
)
_SPACED = re.compile(rf"[{_SURNAMES}][{_HAN}]{{1,2}}(?:\s+[{_SURNAMES}][{_HAN}]{{1,2}})+")
_SEVERAL = re.compile(r"\s*[/、;,|&]\s*|\s+和\s+")
_DOTS = re.compile(r"(?<=[\u3400-\u9fff])\s*[•‧∙・･．.●⋅ᆞ]\s*(?=[\u3400-\u9fff])")
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")


def judge_name(text: str, column: str = "person", context: Context = NOWHERE) -> Verdict:
    """Judge a name: kind person or company. The name in the contract (column `name`) is never split or shortened."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    if len(text) > 2 * _LONGEST:
        return invalid("not_a_name")
    text = text if column == "name" else _apart(text)
    plain = _DOTS.sub("·", _flatten(text))
    repairs = () if plain == _given(text) else ("name_characters",)
    if len(plain) > _LONGEST or not any(map(str.isalnum, plain)):
        return invalid("not_a_name")
    if _COMPANY.search(plain):
        return _judge_company(plain, repairs)
    if column == "name":
        return _judge_person(plain, repairs)
    return _judge_contact(plain, repairs)


def _apart(text: str) -> str:
    """Full names with spaces between them (王小明 李红) as a list; the spaces of one name (王 明) are only format."""
    bare = text.strip()
    if _SPACED.fullmatch(bare) and bare[:2] not in _COMPOUND:
        return "、".join(bare.split())
    return text


def _given(text: str) -> str:
    """The text as given but for spaces: these are only format."""
    return _BETWEEN_HAN.sub("", " ".join(text.split()))


def _judge_company(plain: str, repairs: tuple[str, ...]) -> Verdict:
    if plain.lower() in _JUNK:
        return invalid("junk_name")
    if _LOST.search(plain):
        return one(SUSPECT, "company", plain, reasons=("lost_character", *repairs))
    return one(REPAIRABLE if repairs else VALID, "company", plain, reasons=repairs)


def _judge_contact(plain: str, repairs: tuple[str, ...]) -> Verdict:
    """A contact person's cell: notes, titles and several names are taken apart."""
    bare = _BETWEEN_HAN.sub("", " ".join(_NOTE.sub(" ", plain).split()))
    names = [name for piece in _SEVERAL.split(bare) if (name := piece.strip(" :：,，;；。"))]
    if len(names) < 2:
        bare = names[0] if names else plain
        return _judge_titled(bare, repairs if bare == plain else (*repairs, "name_note"))
    verdicts = [_judge_titled(name, ()) for name in names]
    good = tuple(verdict.value for verdict in verdicts if verdict.is_usable)
    if not good:
        return verdicts[0]
    kinds, blanks = ("person",) * len(good), ("",) * len(good)
    return Verdict(REPAIRABLE, "person", good, (*repairs, "several_names"), kinds, blanks)


def _judge_titled(plain: str, repairs: tuple[str, ...]) -> Verdict:
    titled = _WITH_TITLE.fullmatch(plain)
    if titled and titled.group(1) not in _COMPOUND:
        return _judge_person(titled.group(1), (*repairs, "name_note"))
    return _judge_person(plain, repairs)


def _judge_person(plain: str, repairs: tuple[str, ...]) -> Verdict:
    bad = _why_bad(plain)
    if bad:
        return invalid(bad)
    doubt = _why_doubtful(plain)
    if doubt:
        return one(SUSPECT, "person", plain, reasons=(doubt, *repairs))
    return one(REPAIRABLE if repairs else VALID, "person", plain, reasons=repairs)


def _why_bad(plain: str) -> str:
    if plain.lower() in _JUNK or plain.startswith("测试"):
        return "junk_name"
    if _MASKED.search(plain) and any("\u3400" <= char <= "\u9fff" for char in plain):
        return "name_masked"
    return "" if any(map(str.isalpha, plain)) and not read_missing(plain) else "not_a_name"


def _why_doubtful(plain: str) -> str:
    if _LOST.search(plain):
        return "lost_character"
    if any(map(str.isdecimal, plain)):
        return "digits_in_name"
    if len(plain) == 1:
        return "single_character"
    if len(plain) > 2 and len(set(plain.lower())) == 1:
        return "repeated_characters"
    return "title_only" if _is_only_title(plain) else ""


def _is_only_title(plain: str) -> bool:
    """张先生, 老王, 陈总, 欧阳总; but 李连生 is a name."""
    compound = _COMPOUND_TITLE.fullmatch(plain)
    return bool(_ONLY_TITLE.fullmatch(plain)) or bool(compound and compound.group(1) in _COMPOUND)


def _flatten(text: str) -> str:
    """Letters and digits in half width and no invisible characters; Chinese brackets and rare forms stay as given."""
    flat = "".join(char for char in text.translate(_NARROW) if unicodedata.category(char) not in ("Cf", "Cc"))
    return _BETWEEN_HAN.sub("", " ".join(flat.split()))
