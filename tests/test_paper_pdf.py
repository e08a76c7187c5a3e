"""The child process that lays out: what it refuses, and what stops it."""

import subprocess
import sys

import pytest

from paper import pdf
from paper.pdf import Job, Limits, PaperError, lay_out, lay_out_all

pytestmark = pytest.mark.slow
PIXEL = b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='10' height='10'/></svg>"


@pytest.mark.parametrize(
    "html",
    [
        "<img src='file:///etc/passwd'>",
        "<img src='http://127.0.0.1:9/x.png'>",
        "<link rel=stylesheet href='https://127.0.0.1:9/x.css'>",
        "<link rel=attachment href='file:///etc/passwd'>",
        "<p style=\"background:url('file:///etc/passwd')\">x</p>",
        "<style>@import url('http://127.0.0.1:9/x.css');</style>",
        "<style>@font-face{font-family:x;src:url('file:///etc/passwd')}</style><p style='font-family:x'>x</p>",
        "<img src='asset:unknown'>",
        "<base href='file:///etc/'><img src='passwd'>",
    ],
)
def test_nothing_is_fetched(html):
    with pytest.raises(PaperError, match="测试件：排版失败.*address refused"):
        lay_out(Job(html, "测试件"))


def test_relative_address_has_nothing_to_stand_on():
    laid_out = lay_out(Job("<p>甲</p><img src='passwd'>", "测试件"))
    assert laid_out.pages == 1
    assert b"root:" not in laid_out.pdf


def test_named_assets_and_data_are_known():
    html = "<img src='asset:mark.svg'><img src='data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E'>"
    assert lay_out(Job(html, "测试件", assets={"mark.svg": PIXEL})).warnings == []


def test_child_that_takes_too_long_is_killed():
    html = "<div style='display:flex'>" * 12 + "x" + "</div>" * 12
    with pytest.raises(PaperError, match="测试件：排版超过2秒，已停止"):
        lay_out(Job(html, "测试件", limits=Limits(wall_seconds=2)))


def test_child_that_uses_too_much_processor_is_killed():
    html = "<div style='display:flex'>" * 12 + "x" + "</div>" * 12
    with pytest.raises(PaperError, match="处理器2秒"):
        lay_out(Job(html, "测试件", limits=Limits(cpu_seconds=2)))


def test_child_that_uses_too_much_memory_is_stopped():
    html = "<p>某某某某某某某某</p>" * 40000
    with pytest.raises(PaperError, match="测试件：排版"):
        lay_out(Job(html, "测试件", limits=Limits(memory_mb=400)))


def test_many_jobs_come_back_in_order():
    jobs = [Job(f"<p id='{number}'>x</p>", "测试件") for number in range(4)]
    assert [list(one.anchors[0]) for one in lay_out_all(jobs)] == [["0"], ["1"], ["2"], ["3"]]


def test_secrets_of_the_environment_stay_outside(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "canary")
    assert "canary" not in str(pdf._environment("", tmp_path))


def test_child_imports_nothing_of_the_house():
    code = "import sys; exec(open(sys.stdin.read()).read().split('if __name__')[0]); print(list(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], input=str(pdf.CHILD), capture_output=True, text=True
    )
    assert "weasyprint" in done.stdout
    for name in ("'flask'", "'models'", "'paper'", "'sqlalchemy'"):
        assert name not in done.stdout
