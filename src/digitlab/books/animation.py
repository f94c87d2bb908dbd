"""Saving pictures: figures as PNG, rotating surfaces as GIF, and as MP4 too where ffmpeg is installed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.viz.animation import SUFFIXES, ffmpeg, figure_frame, save_frames
from digitlab.viz.figures import Array, Figure, save_figure

FPS = 30
ELEVATION, START = 20, -130  # degrees above the ground, and of the first angle
STILL = 30  # degrees above the ground from which a still shows slopes and the best point


@dataclass(frozen=True)
class TurningSurface:
    """z (Y, X) over x (X,) and y (Y,) as a surface seen from all sides, in so many frames at 30 a second."""

    x: Sequence[float]
    y: Sequence[float]
    z: Any
    labels: tuple[str, str, str]
    title: str
    frames: int = 360

    def figure(self) -> tuple[Figure, Any]:
        """The figure and its axes, as the still shows them; a black point is at the largest z."""
        from matplotlib.figure import Figure as Plain

        # A fixed layout: one fitted to each angle would make the picture shake.
        figure = Plain(figsize=(5.6, 4.2))
        axes: Any = figure.add_subplot(projection="3d")
        figure.subplots_adjust(left=0, right=0.95, bottom=0.05, top=0.93)
        x, y = np.meshgrid(np.asarray(self.x), np.asarray(self.y))
        z = np.asarray(self.z)
        axes.computed_zorder = False  # the point is in front of the surface, from all sides
        axes.plot_surface(x, y, z, cmap="viridis", edgecolor="black", linewidth=0.2, alpha=0.95)
        best = np.unravel_index(int(z.argmax()), z.shape)
        label = f"best: {z[best]:.2f} at {x[best]:g} {self.labels[0]}, {self.labels[1]} {y[best]:g}"
        axes.plot([x[best]], [y[best]], [z[best]], "o", color="black", markersize=7, label=label, zorder=10)
        axes.legend(loc="upper left", fontsize=8)
        axes.set(**dict(zip(("xlabel", "ylabel", "zlabel"), self.labels)))
        axes.set_title(self.title, fontsize=10)
        axes.view_init(elev=STILL, azim=START)
        return figure, axes

    def save(self, stem: Path) -> list[str]:
        """Write a still (.png) and the rotation (.gif, and .mp4 if ffmpeg is installed); returns the files' names."""
        figure, axes = self.figure()
        still = stem.with_name(f"{stem.name}.png")
        save_figure(figure, still, dpi=100)

        def turning() -> Iterator[Array]:
            for frame in range(self.frames):
                axes.view_init(elev=ELEVATION, azim=START + 360 * frame / self.frames)
                yield figure_frame(figure)

        moving = [stem.with_name(f"{stem.name}{suffix}") for suffix in SUFFIXES[: 1 if ffmpeg() is None else 2]]
        for path in moving:
            save_frames(turning(), path, fps=FPS)
        return [still.name, *(path.name for path in moving)]


def save_drawing(drawing: Any, stem: Path) -> list[str]:
    """Write a figure or a rotating surface; `stem` is the path without suffix. Returns the files' names."""
    if isinstance(drawing, TurningSurface):
        return drawing.save(stem)
    path = stem.with_name(f"{stem.name}.png")
    save_figure(drawing, path, dpi=90)
    return [path.name]
