"""Reading a finished file as a stranger would: pages of all, texts and codes of some."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2
import zxingcpp

from paper.codes import Stamp
from paper.finished_files import Damaged, FinishedFile
from paper.pdf import PaperError

BUFFER = 1 << 20
DPI = 150
MM = DPI / 25.4
QUIET = 2.0  # mm of white round a code
QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
UNSEEN = dict.fromkeys(map(ord, "\u00ad\ufffe\u0000"))


@dataclass(frozen=True)
class Expected:
    """What one page must show: texts by the name that a user knows, and codes."""

    what: str
    page: int
    texts: Sequence[tuple[str, str]] = ()
    stamps: Sequence[Stamp] = ()


def proof(path: Path, *, pages: int, expected: Iterable[Expected]) -> None:
    """Raise a PaperError that names page and field where the file does not show what it must."""
    with pypdfium2.PdfDocument(path) as pdf:
        _check_pages(len(pdf), pages)
        for one in expected:
            _proof_page(pdf[one.page], one)


def proof_run(path: Path, *, pages: int, expected: Iterable[Expected]) -> None:
    """The same for a stamped file, whatever its size: every object is read, the pages to be looked at are cut out."""
    wanted = list(expected)
    try:
        with path.open("rb", buffering=BUFFER) as opened:
            file = FinishedFile(opened)
            numbers = file.pages()
            _check_pages(len(numbers), pages)
            cut_out = file.cut_out([numbers[one.page] for one in wanted])
    except Damaged as error:
        raise PaperError(f"打印文件写坏了（对象{error}），文件已作废。请检查磁盘后重新打印。") from None
    with pypdfium2.PdfDocument(cut_out) as pdf:
        for page, one in zip(pdf, wanted, strict=True):
            _proof_page(page, one)


def _check_pages(found: int, pages: int) -> None:
    if found != pages:
        raise PaperError(f"应有{pages}页，实际排出{found}页，文件已作废。请减少超长内容后重新打印。")


def _proof_page(page: pypdfium2.PdfPage, expected: Expected) -> None:
    found = squeezed(page.get_textpage().get_text_range())
    turned = any(_is_turned(text) for _name, text in expected.texts)
    for name, text in expected.texts:
        if not _shows(found, squeezed(text), turned=turned):
            raise PaperError(
                f"{expected.what}第{expected.page + 1}页的“{name}”没有完整印出，文件已作废。请检查字体。"
            )
    if expected.stamps:
        picture = page.render(scale=DPI / 72, grayscale=True).to_numpy().squeeze()
        for stamp in expected.stamps:
            _proof_code(picture, stamp, f"{expected.what}第{expected.page + 1}页")


def _is_turned(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def _shows(found: str, text: str, *, turned: bool) -> bool:
    """Whether a text was set; on a page with writing from right to left, lines come out in another order."""
    return set(text) <= set(found) if turned else text in found


def _proof_code(picture: np.ndarray, stamp: Stamp, where: str) -> None:
    left, top = int((stamp.x - QUIET) * MM), int((stamp.y - QUIET) * MM)
    side = int((stamp.size + 2 * QUIET) * MM)
    cut = np.ascontiguousarray(picture[max(0, top) : top + side, max(0, left) : left + side])
    found = zxingcpp.read_barcodes(
        cut, formats=QR_CODE, try_rotate=False, try_downscale=False, try_invert=False
    )
    if stamp.text not in [code.text for code in found]:
        raise PaperError(
            f"{where}的二维码（横{stamp.x:.0f}、纵{stamp.y:.0f}毫米处）无法读出，文件已作废。请重新打印。"
        )


def squeezed(text: str) -> str:
    """A text without blanks and line ends, for comparing what was set with what can be copied out."""
    return "".join(unicodedata.normalize("NFKC", text.translate(UNSEEN)).split())
