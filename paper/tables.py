"""Tables as flowing documents print them: a caption, columns with their widths, rows of finished text."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_WIDTH = 156.0  # mm: the type area of GB/T 9704-2012


@dataclass(frozen=True)
class Column:
    """One column of a table: heading, width in mm, and where its text stands."""

    label: str
    width: float
    align: str = "center"


@dataclass(frozen=True)
class Table:
    """A table; a width is a share of the type area's."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def shares(self) -> list[float]:
        """The columns' widths in per cent of the table's."""
        return [100 * column.width / sum(one.width for one in self.columns) for column in self.columns]

    @property
    def wide(self) -> bool:
        """Whether the table needs a page laid across."""
        return sum(column.width for column in self.columns) > TYPE_WIDTH * 1.05
