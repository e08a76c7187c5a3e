"""The postage mark (邮资标志) of a campaign: a text, a permit and a picture, as agreed with the post office."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from sqlalchemy.orm import Session

from models import Campaign
from models.clock import today
from paper.envelopes import Envelope, Postage
from services import Refused, files, letterheads, traces

KEY = "postage"
LARGEST = 500_000  # bytes of a picture
SIDE = 3000  # its longest side in pixels
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True)
class Mark:
    """What a form brought in; without a new picture the old one stays, unless it is to go."""

    text: str
    permit: str
    image: bytes = b""
    without_image: bool = False


def change(session: Session, campaign: Campaign, mark: Mark) -> None:
    """Set the block of a campaign; the letterhead's own text stands where nothing is set."""
    old = campaign.options.get(KEY, {})
    digest = "" if mark.without_image else old.get("sha256", "")
    if mark.image:
        digest = _keep(session, mark.image)
    kept = {"text": mark.text.strip()[:80], "permit": mark.permit.strip()[:40], "sha256": digest}
    campaign.options = {**campaign.options, KEY: kept}
    traces.record(session, "campaign.postage_changed", campaign, details=kept)


def of(session: Session, campaign: Campaign) -> Postage:
    """The block as paper takes it; empty leaves the place to a stamp."""
    kept = campaign.options.get(KEY, {})
    path = files.location(kept.get("sha256") or "-")
    image = path.read_bytes() if kept.get("sha256") and path.exists() else b""
    text = kept.get("text") or ("" if kept.get("permit") or image else letterheads.current(session).postage_mark)
    return Postage(text, kept.get("permit", ""), image)


def envelope(session: Session, campaign: Campaign) -> Envelope:
    """What stands on the campaign's envelopes."""
    return Envelope(campaign.code, today(session), of(session, campaign))


def _keep(session: Session, content: bytes) -> str:
    if len(content) > LARGEST:
        raise Refused("邮资标志的图片不能超过 500 KB。请压缩后再上传。")
    large = Refused("邮资标志的图片每边不能超过 %(side)s 像素。请缩小后再上传。", side=SIDE)
    try:
        with Image.open(io.BytesIO(content), formats=list(FORMATS)) as picture:
            media, size = FORMATS[str(picture.format)], picture.size
            if max(size) > SIDE:
                raise large
            picture.verify()
    except Image.DecompressionBombError as error:  # so many pixels that Pillow does not even look
        raise large from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused("邮资标志要用 PNG 或 JPEG 图片，这个文件打不开。") from error
    with tempfile.TemporaryDirectory(prefix="postage-") as folder:
        path = Path(folder) / "mark"
        path.write_bytes(content)
        return files.store(session, path, "postage", media).sha256
