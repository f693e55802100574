"""The small drawings that stand beside a word, so that nothing is told by colour alone."""

from dataclasses import dataclass

from django.utils.html import format_html

CIRCLE = "M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13z"
DISC = "M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 1 1 0-15z"
CROSS = "M3.7 5.4L6.3 8l-2.6 2.6 1.7 1.7L8 9.7l2.6 2.6 1.7-1.7L9.7 8l2.6-2.6-1.7-1.7L8 6.3 5.4 3.7z"
# What the patterns of charts are drawn on.
WHITE = '<path d="M0 0h8v8H0z" fill="#fff"/>'
PATH = '<path d="{}" fill="{}" fill-rule="evenodd" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>'


@dataclass(frozen=True)
class Shape:
    """A path in a square of 16, and how it is drawn: "filled", by a "line", or by a "broken" line."""

    path: str
    drawn: str

    def __html__(self):
        """The drawing as SVG. It says nothing by itself to a screen reader."""
        fill, stroke = ("currentColor", "none") if self.drawn == "filled" else ("none", "currentColor")
        dashes = "2.4 2.7" if self.drawn == "broken" else "none"
        return format_html(
            '<svg class="shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{}</svg>',
            format_html(PATH, self.path, fill, stroke, dashes),
        )


@dataclass(frozen=True)
class Fill:
    """What a pattern of a chart repeats, in a square of 8: it must differ from others without colour."""

    drawn: str

    def __html__(self):
        return self.drawn
