"""The child process that lays out one HTML text with WeasyPrint: job as JSON on stdin, answer on stdout.

It is started as a script by `paper.pdf` and imports nothing of the house. Limits are set before the layout engine is
loaded, because a small template can keep it busy for minutes. The answer is one line of JSON (pages, anchors,
warnings), then the bytes of the PDF.
"""

from __future__ import annotations

import base64
import ctypes
import json
import logging
import resource
import signal
import sys
from typing import Any

from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

MM_PER_PX = 25.4 / 96
PR_SET_PDEATHSIG = 1


class AssetFetcher(URLFetcher):
    """Knows `data:` and the assets that came with the job; everything else stops the layout."""

    def __init__(self, assets: dict[str, str]) -> None:
        super().__init__(allowed_protocols=["data"], allow_redirects=False, fail_on_errors=True)
        self._assets = assets

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url.startswith("data:"):
            return super().fetch(url, headers)
        name = url.removeprefix("asset:")
        if name == url or name not in self._assets:
            raise FatalURLFetchingError(f"address refused: {url[:200]}")
        return URLFetcherResponse(url, base64.b64decode(self._assets[name]))


class Warnings(logging.Handler):
    """Collects what the layout engine would only have logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def limit_process(memory_mb: int, cpu_seconds: int) -> None:
    """Cap address space and processor time, and die with the parent where the system can do that."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def lay_out(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Lay out the job's HTML; anchors are boxes of elements with an id, in mm from the top left of their page."""
    warnings = Warnings()
    logger = logging.getLogger("weasyprint")
    logger.handlers[:] = [warnings]
    fonts = FontConfiguration()
    page = HTML(string=job["html"], url_fetcher=AssetFetcher(job["assets"]), base_url=None)
    document = page.render(font_config=fonts, pdf_tags=job["tags"])
    anchors = [
        {name: [value * MM_PER_PX for value in box[:4]] for name, box in sheet.anchors.items()}
        for sheet in document.pages
    ]
    pdf = document.write_pdf(pdf_tags=job["tags"])
    return {"pages": len(document.pages), "anchors": anchors, "warnings": warnings.texts}, pdf


def main() -> None:
    job = json.load(sys.stdin.buffer)
    limit_process(job["memory_mb"], job["cpu_seconds"])
    answer, pdf = lay_out(job)
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + pdf)


if __name__ == "__main__":
    main()
