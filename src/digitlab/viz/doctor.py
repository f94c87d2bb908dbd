"""The doctor's evidence as figures: a panel for each finding."""

from collections.abc import Sequence
from typing import Any

from digitlab.doctor import Finding
from digitlab.doctor.ailment import Curves, Images, Picture
from digitlab.viz.figures import COLOURS, Figure, finish_axes, new_figure, show_image

IMAGES, AXES = 1.5, 3.1  # inches that a row of images takes, and a plot
FEWEST = 3  # bars that a plot has room for: a single one is not as wide as the plot


def findings_figure(findings: Sequence[Finding], *, title: str = "") -> Figure:
    """The picture of every finding that has one, below each other, the likeliest cause first."""
    drawn = [(finding, finding.picture) for finding in findings if finding.picture is not None]
    heights = [IMAGES if isinstance(picture, Images) else AXES for _, picture in drawn] or [AXES]
    figure = new_figure(7.0, 0.6 + sum(heights))
    if title:
        figure.suptitle(title, fontsize=11)
    panels = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (finding, picture) in zip(panels, drawn):
        draw_picture(panel, picture, f"{finding.title}: {picture.title[0].lower()}{picture.title[1:]}")
    return figure


def draw_picture(panel: Any, picture: Picture, title: str) -> None:
    """Draw one picture of a finding into a figure or a part of one."""
    if isinstance(picture, Images):
        panel.suptitle(title, fontsize=10)
        for i, (image, name) in enumerate(zip(picture.images, picture.titles)):
            show_image(panel.add_subplot(1, len(picture.images), i + 1), image, name, size=8)
        return
    axes = panel.add_subplot()
    if isinstance(picture, Curves):
        for i, (name, values) in enumerate(picture.curves.items()):
            axes.plot(range(1, len(values) + 1), values, marker=".", color=COLOURS[i % len(COLOURS)], label=name)
        finish_axes(axes, picture.x, picture.y, title)
        return
    axes.bar(list(picture.values), list(picture.values.values()), color=COLOURS[0])
    room = max(0, FEWEST - len(picture.values)) / 2
    axes.set_xlim(-0.6 - room, len(picture.values) - 0.4 + room)
    if picture.limit is not None:
        axes.axhline(picture.limit, color=COLOURS[1], linestyle="--")
    if picture.logarithmic and max(picture.values.values()) > 0:
        axes.set_yscale("log")
    finish_axes(axes, "", picture.y, title)
