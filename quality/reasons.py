"""The reason catalogue: code -> what is wrong and what to do, under the one rule that gives the code."""

from __future__ import annotations

from models.words import N_

TEXT_REASONS = {
    "blank": N_("没有填写，请补录。"),
    "placeholder": N_("填的是“无”“不详”一类的字样，等于没有填写，请补录。"),
    "characters": N_("含有全角或不可见字符，已给出规范写法，核对后采用。"),
}

PHONE_REASONS = {
    "full_width": N_("号码中有全角数字，已转为半角，核对后采用。"),
    "letter_for_digit": N_("号码中把字母或汉字当作数字（如 O 与 0、l 与 1），已换成数字，核对后采用。"),
    "spreadsheet_number": N_("号码被电子表格改成了小数或科学计数，已还原，核对后采用。"),
    "digits_lost": N_("号码被电子表格改成科学计数，末几位已经丢失，无法还原，请向客户重新取得。"),
    "label": N_("号码前后写有“电话”“手机”等字样，已去掉，核对后采用。"),
    "note": N_("号码旁写有说明文字，已去掉，核对后采用；说明可写入备注。"),
    "noted_dead": N_("旁边注明号码已停用、空号或有误，请联系客户核实。"),
    "stray_characters": N_("号码中夹有多余的符号，已去掉，核对后采用。"),
    "several_numbers": N_("一格中有几个号码，已拆开，核对后分别登记。"),
    "bad_part": N_("一格中除可用的号码外还有不完整的号码，已只取可用的，请核对。"),
    "stray_zero": N_("号码前多了一个 0，已去掉，核对后采用。"),
    "missing_zero": N_("区号前少了 0，已补上，核对后采用。"),
    "missing_country_code": N_("港澳台号码前少了 00 或 +，已补上，核对后采用。"),
    "missing_area_code": N_("固定电话没有区号，已按本单位区号补上，核对后采用。"),
    "no_area_code": N_("固定电话没有区号，又不知道所属地区，请补上区号。"),
    "number_upgraded": N_("号码已经升位或区号已经合并，已按确认的升位规则换成新号，核对后采用。"),
    "number_retired": N_("号码已经升位或区号已经撤销，升位规则尚未确认，请向客户核实新号。"),
    "other_kind": N_("号码可用，但填在了另一栏（手机与固定电话填反），登记时按实际种类存放。"),
    "iot_segment": N_("物联网或数据卡号段，未必能接听电话，建议核实。"),
    "special_segment": N_("卫星或专用号段，建议核实能否接听。"),
    "virtual_operator": N_("虚拟运营商号段，可以使用。"),
    "hotline_number": N_("400/800 电话，可以接听，但收不到短信。"),
    "foreign_number": N_("境外号码（含港澳台），可以使用，发送前请确认通道。"),
    "rare_segment": N_("号段未见普遍启用，多半是录错，请向客户核实。"),
    "repeated_digits": N_("同一数字连续六次以上，像是编造的号码，请核实。"),
    "sequential_digits": N_("数字连续递增或递减六位以上，像是编造的号码，请核实。"),
    "patterned_digits": N_("数字按同一花样反复，像是编造的号码，请核实。"),
    "known_dummy": N_("常见的示例或充数号码，请向客户重新取得。"),
    "office_number": N_("登记的是本单位办公电话或工作人员的号码，不是客户的电话，请向客户取得。"),
    "shared_number": N_("同一号码登记在多户名下，未必是客户本人的，请核实；房东、物业等可列入允许名单。"),
    "segment_elsewhere": N_("号段归属地不在本地，号码可以使用；如与客户情况不符再核实。"),
    "service_number": N_("公共服务号码（如 95598、110），不是客户的电话，请重新取得。"),
    "bad_local_digit": N_("固定电话的本地号码不会以 0、1 或 9 开头，请核实。"),
    "unknown_area_code": N_("没有这个区号，请核实。"),
    "wrong_length": N_("位数不对，请核实。"),
    "masked": N_("号码中有星号等遮盖字符，不完整，请重新取得。"),
    "not_a_number": N_("没有可以识别的号码，请核实。"),
}

ADDRESS_REASONS = {
    "address_characters": N_("地址中有全角或繁体字符，已转为规范写法，核对后采用。"),
    "address_noise": N_("地址中夹有邮编、电话或标签，已去掉，核对后采用。"),
    "repeated_prefix": N_("省、市名称重复，已去掉多余的，核对后采用。"),
    "district_renamed": N_("市、区、县已经更名或并入别处，已换成现名，核对后采用。"),
    "town_renamed": N_("乡镇、街道已经更名或撤并，已换成现名，核对后采用。"),
    "plate_changed": N_("门牌已由公安机关更换，已换成新门牌，核对后采用。"),
    "region_left_out": N_("没有写省或市，已按所在单位补全。"),
    "province_conflict": N_("写的省份与城市不相符，请核实。"),
    "county_conflict": N_("写的区县不在所写的省、市，请核实。"),
    "town_conflict": N_("写的乡镇、街道不属于所写的区县，请核实。"),
    "postcode_conflict": N_("地址旁的邮政编码不属于所写的省份或城市，请核实。"),
    "district_divided": N_("区县已经撤销并分入几个区，不能确定现在属于哪一个，请核实。"),
    "outside_region": N_("地址不在本单位所在的省、市，请核实。"),
    "place_uncertain": N_("没有写市，而同名的地方不止一处或所属地区不明，不能确定在哪里，请补上省、市。"),
    "two_addresses": N_("一格中有两处地址，不能确定用哪一处，请核实。"),
    "relative_place": N_("只写了某处的“旁边”“对面”，不能确定是哪一户，请补上门牌号。"),
    "too_short": N_("没有写到门牌或楼栋，无法投递，请补全。"),
    "no_room": N_("写了楼栋但没有房号，无法投递到户，请补上单元和房号。"),
    "refers_elsewhere": N_("写的是“同上”等字样，请写出完整地址。"),
    "not_an_address": N_("没有可以识别的地址，请核实。"),
}

POSTCODE_REASONS = {
    "postcode_format": N_("邮政编码中夹有全角字符、小数或其他文字，已还原，核对后采用。"),
    "postcode_zero": N_("邮政编码前面的 0 被电子表格去掉了，已按所在省份补上，核对后采用。"),
    "postcode_length": N_("邮政编码应为六位数字，请核实。"),
    "postcode_unknown": N_("没有以这两位开头的邮政编码，请核实。"),
    "postcode_other_province": N_("邮政编码不属于本单位所在的省份，请与地址核对。"),
    "postcode_dummy": N_("像是随手填写的邮政编码（重复或连续的数字），请核实。"),
}

EMAIL_REASONS = {
    "email_characters": N_("邮箱中有全角字符、中文标点或多余的符号，已改正，核对后采用。"),
    "email_label": N_("邮箱前后写有说明文字，已去掉，核对后采用。"),
    "several_emails": N_("一格中有几个邮箱，已拆开，核对后分别登记。"),
    "email_bad_part": N_("一格中除可用的邮箱外还有不完整的邮箱，已只取可用的，请核对。"),
    "email_domain_typo": N_("邮箱后缀像是打错了（如 gmial.com、qq.con），请向客户核实。"),
    "email_dummy": N_("像是示例或随手填写的邮箱，请核实。"),
    "email_syntax": N_("不是完整的邮箱地址，请核实。"),
}

NAME_REASONS = {
    "name_characters": N_("名称中有全角字母、间隔号异写或不可见字符，已改正，核对后采用。"),
    "name_note": N_("姓名旁写有称呼、号码或说明，已去掉，核对后采用。"),
    "several_names": N_("一格中有几个姓名，已拆开，核对后分别登记。"),
    "title_only": N_("只有姓和称呼（如“张先生”），没有名字，请补全。"),
    "single_character": N_("只有一个字，不像完整的姓名，请核实。"),
    "repeated_characters": N_("同一个字反复，不像真实的姓名，请核实。"),
    "lost_character": N_("有字没有正确显示（如“?”“□”），请按证件补录。"),
    "digits_in_name": N_("姓名中有数字，请核实。"),
    "name_masked": N_("姓名中有星号等遮盖字符，不完整，请重新取得。"),
    "junk_name": N_("填的是“测试”“用户”一类的字样，不是姓名，请重新取得。"),
    "not_a_name": N_("没有可以识别的姓名或单位名称，请核实。"),
}

ID_REASONS = {
    "id_characters": N_("证件号码中有全角或多余字符，已改正，核对后采用。"),
    "id_fifteen_digits": N_("十五位的旧身份证号码，已按国家标准换成十八位，核对后采用。"),
    "id_other_kind": N_("证件号码可用，但填在了另一栏（身份证号与统一社会信用代码填反）。"),
    "id_unknown_area": N_("校验正确，但号码中的地区代码未见使用，请与证件核对。"),
    "id_birth_date": N_("号码中的出生日期不合情理，请与证件核对。"),
    "id_checksum": N_("校验位不对，号码有误，请与证件核对。"),
    "id_length": N_("位数不对（身份证号和统一社会信用代码都是十八位），请与证件核对。"),
    "id_digits_lost": N_("号码被电子表格改成科学计数，末几位已经丢失，请与证件核对。"),
    "id_masked": N_("号码中有星号等遮盖字符，不完整，请重新取得。"),
}

WECHAT_REASONS = {
    "wechat_characters": N_("微信号中有全角字符、标签或多余的符号，已改正，核对后采用。"),
    "wechat_refers": N_("写的是“同手机号”，请写出微信号。"),
    "wechat_dummy": N_("像是随手填写的号码，请核实。"),
    "wechat_nickname": N_("像是微信昵称，不是微信号，无法查找，请核实。"),
    "wechat_syntax": N_("不是微信号（六至二十位，字母开头，可含数字、下划线、减号）、手机号或 QQ 号，请核实。"),
}

# A reason belongs to exactly one rule: the code tells which rule spoke.
REASONS_BY_RULE: dict[str, dict[str, str]] = {
    "judge_text": TEXT_REASONS,
    "judge_phone": PHONE_REASONS,
    "judge_address": ADDRESS_REASONS,
    "judge_postcode": POSTCODE_REASONS,
    "judge_email": EMAIL_REASONS,
    "judge_name": NAME_REASONS,
    "judge_id": ID_REASONS,
    "judge_wechat": WECHAT_REASONS,
}

REASONS: dict[str, str] = {code: text for reasons in REASONS_BY_RULE.values() for code, text in reasons.items()}
