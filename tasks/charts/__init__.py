"""The drawing library: scales, axes and marks as SVG that a page and a file share."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.charts.marks import estimate, interval, marker, path, series
    from tasks.charts.scales import LEAST, Scale, axis, rules, scale, tick_label, time_scale
    from tasks.charts.svg import WIDTH, Block, Figure, is_wide, line, lines, number, rect, tag, text, title
    from tasks.charts.typesetting import LINE, SMALL, fit, width, wrap
else:
    __all__, __getattr__ = face(__name__, __file__)
