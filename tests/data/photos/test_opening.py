"""open_photo: hostile and odd files are refused in a sentence, honest ones come out upright, opaque and eight-bit."""

import contextlib
import io
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data.photos import find_digits, open_photo
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import DataError


def saved(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises this size and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def photo_of_a_corner() -> np.ndarray:
    """40×60, white, with a dark square in the upper left corner."""
    image = np.full((40, 60, 3), 255, np.uint8)
    image[:10, :10] = 0
    return image


HOSTILE = {
    "bomb.png": (png_header(50_000, 50_000), "50,000×50,000 pixels|too many pixels"),
    "wide.png": (png_header(8_000, 7_000), "8,000×7,000 pixels, expected at most 50,000,000"),
    "thread.png": (png_header(100_000, 2), "less long and thin"),
    "drawing.png": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG or a web page"),
    "program.png": (b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage", "a PostScript program"),
    "document.jpg": (b"%PDF-1.7\n", "a PDF document; export the page as PNG"),
    "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0", "export it as JPEG"),
    "words.png": (b"hello, this is no picture", "is not a readable picture"),
    "short.png": (png_header(100, 100), "cut off or damaged"),
    "empty.png": (b"", r"empty \(0 bytes\)"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    content, words = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as error:
        open_photo(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_refusals_take_less_than_a_second_and_200_megabytes(tmp_path: Path) -> None:
    """All of them in one process, whose largest memory the system itself counts, imports included."""
    for name, (content, _) in HOSTILE.items():
        (tmp_path / name).write_bytes(content)
    frames = [Image.fromarray(np.full((300, 300), i, np.uint8)) for i in range(200)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    code = """
        import sys, time
        from pathlib import Path
        from digitlab.data.photos import open_photo
        from digitlab.errors import DataError
        import PIL.Image, PIL.PngImagePlugin
        for path in sorted(Path(sys.argv[1]).iterdir()):
            began = time.process_time()
            try:
                open_photo(path)
            except DataError:
                print(path.name, time.process_time() - began)
        status = Path("/proc/self/status")
        if status.exists():  # where there is none, the parent's memory would be counted, too
            peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]
            print("peak", int(peak) / 1024)
        else:
            print("peak", 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = dict(line.split() for line in done.stdout.splitlines())
    peak = float(lines.pop("peak"))
    assert set(lines) == {*HOSTILE, "film.gif"}
    assert max(map(float, lines.values())) < 1 and peak < 200


def test_animations_and_pages(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((20, 20), grey, np.uint8)) for grey in (0, 120, 250)]
    for name, words in (("film.gif", "an animation"), ("film.webp", "an animation"), ("pages.tiff", "several pages")):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(DataError, match=words):
            open_photo(tmp_path / name)
    assert open_photo(saved(tmp_path / "still.gif", photo_of_a_corner()[..., 0])).shape == (40, 60, 3)


def test_a_truncated_jpeg(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = saved(tmp_path / "whole.jpg", rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)).read_bytes()
    for share in (0.1, 0.5, 0.95):
        (tmp_path / "half.jpg").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match="cut off or damaged"):
            open_photo(tmp_path / "half.jpg")


def test_random_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for suffix in ("png", "jpg", "gif", "bmp", "tiff", "webp"):
        data = bytearray(saved(tmp_path / f"whole.{suffix}", photo_of_a_corner()).read_bytes())
        for _ in range(40):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 6):
                broken[at] = rng.integers(256)
            path = tmp_path / f"broken.{suffix}"
            path.write_bytes(broken)
            with contextlib.suppress(DataError):
                assert open_photo(path).dtype == np.uint8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    """The picture is stored turned, as a camera does, and comes back as it was seen: what EXIF 2.32 says of tag 274."""
    upright = photo_of_a_corner()
    ways = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(ways[orientation](upright))).save(path, exif=exif)
    assert np.array_equal(open_photo(path), upright)


def test_what_telephones_write(tmp_path: Path) -> None:
    """A JPEG with a further picture behind it, and 16 bits a pixel that lie turned."""
    upright = photo_of_a_corner()
    image = Image.fromarray(upright)
    image.save(tmp_path / "gain.jpg", format="MPO", save_all=True, append_images=[image], quality=95)
    assert np.abs(open_photo(tmp_path / "gain.jpg").astype(int) - upright).mean() < 8
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright[..., 0]).astype(np.uint16) * 257).save(tmp_path / "turned.png", exif=exif)
    assert open_photo(tmp_path / "turned.png").shape == upright.shape
    Image.fromarray((upright[..., 0] / 255).astype(np.float32)).save(tmp_path / "share.tiff")
    assert np.abs(open_photo(tmp_path / "share.tiff")[..., 0].astype(int) - upright[..., 0]).max() <= 1


def test_what_is_transparent_becomes_paper(tmp_path: Path) -> None:
    alpha = np.zeros((30, 30), np.uint8)
    alpha[10:20, 10:20] = 255
    dark = np.dstack([np.zeros((30, 30, 3), np.uint8), alpha])
    light = np.dstack([np.full((30, 30, 3), 255, np.uint8), alpha])
    seen = open_photo(saved(tmp_path / "dark.png", dark))
    assert seen[0, 0].tolist() == [255] * 3 and seen[15, 15].tolist() == [0] * 3
    seen = open_photo(saved(tmp_path / "light.png", light))
    assert seen[0, 0].tolist() == [0] * 3 and seen[15, 15].tolist() == [255] * 3


def test_other_kinds_of_pixels(tmp_path: Path) -> None:
    grey = photo_of_a_corner()[..., 0]
    sixteen = grey.astype(np.uint16) * 257
    Image.fromarray(sixteen).save(tmp_path / "sixteen.png")
    Image.fromarray(grey > 128).save(tmp_path / "one-bit.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(photo_of_a_corner()).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    for name in ("sixteen.png", "one-bit.png", "palette.png", "cmyk.jpg"):
        seen = open_photo(tmp_path / name).astype(int)
        assert seen.shape == (40, 60, 3) and abs(seen[..., 0] - grey).max() <= 12, name


def test_large_pictures_are_averaged_down(tmp_path: Path) -> None:
    large = np.zeros((300, 900, 3), np.uint8)
    large[:, ::2] = 200
    seen = open_photo(saved(tmp_path / "large.png", large), long_side=450)
    assert seen.shape == (150, 450, 3)
    assert seen.min() == seen.max() == 100


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found a folder"):
        open_photo(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        open_photo(tmp_path / "absent.png")


def test_a_jpeg_in_disguise_is_read_by_its_content(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(photo_of_a_corner()).save(stream, "JPEG")
    (tmp_path / "photo.png").write_bytes(stream.getvalue())
    assert open_photo(tmp_path / "photo.png").shape == (40, 60, 3)


@pytest.mark.parametrize("pen", [0.1, 0.2])
@pytest.mark.parametrize("margin", [6, 60])
def test_a_thick_pen_on_a_drawn_page_is_no_paper(pen, margin):
    """Of a crop with little margin, or a fat pen, ink covers most of what a median would call the paper around."""
    ink = draw_digit(3, 200, np.random.default_rng(1), width=pen)
    page = np.full((ink.shape[0] + 2 * margin, ink.shape[1] + 2 * margin), 255, np.uint8)
    page[margin : margin + ink.shape[0], margin : margin + ink.shape[1]] -= ink
    found = find_digits(np.repeat(page[..., None], 3, axis=2))
    assert len(found.marks) == 1
    covered = np.abs(found.ink.binary.astype(float) - (page[: found.ink.binary.shape[0]] < 128)).mean()
    assert covered < 0.02, "all of the ink, and no paper"
