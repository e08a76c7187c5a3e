"""What the code of an address says to people."""

import pytest

from quality.address_codes import explain


@pytest.mark.parametrize(
    ("code", "sentences"),
    [
        ("", []),
        ("V6", ["写到房号。", "区划都查得到。"]),
        ("U0", ["没有认出地址。"]),
        (
            "R5-R:郫县>郫都区(2016)",
            ["写到门牌或楼栋。", "写的是旧名，已换成现名。", "郫县于 2016 年改为郫都区。"],
        ),
        (
            "A5-A:江干区>上城区|钱塘区(2021)",
            [
                "写到门牌或楼栋。",
                "有两处相符，不能确定是哪一处。",
                "江干区于 2021 年撤销，分入上城区、钱塘区。",
            ],
        ),
        (
            "V5-T:桂城街道",
            ["写到门牌或楼栋。", "区划都查得到。", "没有写区县，或写的是旧名，由桂城街道得知。"],
        ),
        ("V5-O", ["写到门牌或楼栋。", "区划都查得到。", "不在本单位所在的省、市。"]),
        ("C5-C:county", ["写到门牌或楼栋。", "各部分互相矛盾。"]),
        ("R5-R:汾江南路18号>汾江南路36号(2020-05-01)", ["写到门牌或楼栋。", "写的是旧名，已换成现名。"]),
    ],
)
def test_code_is_told_in_sentences(code: str, sentences: list[str]) -> None:
    assert explain(code) == sentences
