"""Moving pictures: frames as a GIF, as an MP4 where ffmpeg is installed, or inside a notebook."""

import io
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.files import atomic_write, require_suffix
from digitlab.notebook_html import notebook_html
from digitlab.viz.figures import Array, Figure

SUFFIXES = (".gif", ".mp4")
HOLD = 1.5  # seconds that the last frame is shown


@dataclass(frozen=True, repr=False)
class Animation:
    """Frames uint8 (H, W, 3) of one size, so many of them a second; `animation.save("weights.gif")`."""

    frames: list[Array]
    fps: float = 5.0

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        height, width, _ = self.frames[0].shape
        return f"Animation: {len(self.frames)} frames of {width}×{height}, {self.fps:g} a second"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a .gif or .mp4, atomically. Raises ConfigError for another suffix, or for .mp4 without ffmpeg."""
        held = [self.frames[-1]] * round(HOLD * self.fps)
        save_frames([*self.frames, *held], path, fps=self.fps)

    def gif(self) -> bytes:
        """The bytes of a GIF file."""
        file = io.BytesIO()
        _write_gif(iter(self.frames), file, self.fps)
        return file.getvalue()


def ffmpeg() -> str | None:
    """The program that writes MP4 files: the system's, or that of the package imageio-ffmpeg; None: there is none."""
    if program := shutil.which("ffmpeg"):
        return program
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # RuntimeError: the package has none for this system
        return None


def require_animation(path: str | os.PathLike[str]) -> None:
    """Raise ConfigError unless the path ends in .gif, or in .mp4 where ffmpeg is installed."""
    require_suffix(path, "an animation", *SUFFIXES, bare=False)
    if Path(path).suffix.lower() == ".mp4" and ffmpeg() is None:
        raise ConfigError(
            f"{path}: MP4 needs ffmpeg, which is not installed; pip install 'digitlab[mp4]', or choose a name that "
            "ends in .gif"
        )


def save_frames(frames: Iterable[Array], path: str | os.PathLike[str], *, fps: float) -> None:
    """Write frames uint8 (H, W, 3), made one at a time, as a .gif or .mp4; errors as those of `Animation.save`."""
    require_animation(path)
    with atomic_write(path) as temporary:
        if Path(path).suffix.lower() == ".gif":
            with temporary.open("wb") as file:
                _write_gif(iter(frames), file, fps)
        else:
            _write_mp4(iter(frames), temporary, fps)


def figure_frame(figure: Figure, *, dpi: int = 80) -> Array:
    """A figure as pixels uint8 (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _write_gif(frames: Iterator[Array], file: Any, fps: float) -> None:
    from PIL import Image

    images = (Image.fromarray(frame).quantize(255, dither=Image.Dither.NONE) for frame in frames)
    next(images).save(file, "GIF", save_all=True, append_images=images, duration=round(1000 / fps), loop=0)


def _write_mp4(frames: Iterator[Array], path: Path, fps: float) -> None:
    first = next(frames)
    height, width = (side - side % 2 for side in first.shape[:2])  # the usual encoding needs even sides
    reading = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"]
    writing = ["-an", "-pix_fmt", "yuv420p", "-f", "mp4", str(path)]
    command = [ffmpeg() or "ffmpeg", "-y", "-loglevel", "error", *reading, *writing]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None
        for frame in (first, *frames):
            process.stdin.write(np.ascontiguousarray(frame[:height, :width]).tobytes())
        process.stdin.close()
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise ConfigError(f"{path.name}: ffmpeg could not write it ({said or process.returncode}); choose a .gif")
