"""Files are complete or absent: written under another name, then renamed, and no temporary file remains."""

import stat

import numpy as np
import pytest

from digitlab.data import Digits, write_csv, write_idx, write_npz
from digitlab.errors import ConfigError, DataError
from digitlab.files import Claim, atomic_folder, atomic_write, read_text, require_suffix, write_text
from digitlab.train import History, RunConfig
from digitlab.train.recorders import Recorded


def listed(folder):
    """The names in a folder, hidden ones too."""
    return [path.name for path in folder.iterdir()]


def test_a_new_file_and_its_folders(tmp_path):
    target = tmp_path / "a" / "b" / "net.safetensors"
    with atomic_write(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".safetensors"
        assert temporary.name.startswith("."), "hidden, so that a glob over results does not find it"
        temporary.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert listed(target.parent) == ["net.safetensors"]


def test_a_file_that_is_replaced_stays_whole_until_then(tmp_path):
    target = tmp_path / "x.txt"
    write_text(target, "old")
    with atomic_write(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, MemoryError])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, error):
    target = tmp_path / "x.txt"
    write_text(target, "old")
    with pytest.raises(error), atomic_write(target) as temporary:
        temporary.write_text("ha")
        raise error
    assert target.read_text() == "old"
    assert listed(tmp_path) == ["x.txt"]


def test_a_failure_where_there_was_nothing_leaves_nothing(tmp_path):
    with pytest.raises(OSError), atomic_write(tmp_path / "x.txt"):
        raise OSError
    assert listed(tmp_path) == []


def test_the_result_is_as_readable_as_any_file(tmp_path):
    plain, written = tmp_path / "plain", tmp_path / "written"
    plain.write_text("")
    write_text(written, "")
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_text_is_utf_8(tmp_path):
    write_text(tmp_path / "x.txt", "η = 3, λ = 5\n")
    assert (tmp_path / "x.txt").read_bytes() == "η = 3, λ = 5\n".encode()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        write_text(tmp_path / "file" / "x.txt", "")


@pytest.mark.parametrize("name", ["a.png", "b.SVG", "c.d.pdf"])
def test_a_suffix_that_is_right(name):
    assert require_suffix(name, "a picture", ".png", ".svg", ".pdf", bare=False) is None  # it raises otherwise


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.txt", "the suffix .txt is another format's"),
        ("a.PNG.gz", "the suffix .gz is another format's"),
        ("a", "it has no suffix"),
        (".png", "it has no suffix"),
        ("a-0.5", "it has no suffix"),
    ],
)
def test_a_suffix_that_is_wrong(name, why):
    with pytest.raises(ConfigError) as caught:
        require_suffix(name, "a picture", ".png", ".svg", bare=False)
    assert str(caught.value) == f"got {name}, expected a file name that ends in .png or .svg for a picture; {why}"


def test_every_writer_refuses_a_suffix_of_another_format(tmp_path):
    digits = Digits(np.zeros((2, 4, 4), np.uint8), [0, 1])
    config = RunConfig({"layers": [{"type": "Dense", "out_features": 2}], "input_shape": [16]})
    recorded = Recorded(np.arange(1), np.zeros((1, 2), np.uint8), np.zeros(2, np.uint8), "valid")
    writers = {
        ".csv": [lambda path: write_npz(path, digits), History().save, config.save, recorded.save],
        ".npz": [lambda path: write_csv(path, digits), lambda path: write_idx(path, [0]), History().save, config.save],
        ".json": [lambda path: write_npz(path, digits), History().save, config.save],
    }
    for suffix, functions in writers.items():
        for write in functions:
            with pytest.raises(ConfigError, match=f"expected a file name that ends in .* the suffix {suffix} is"):
                write(tmp_path / f"x{suffix}")
    assert listed(tmp_path) == []


# Folders


def tree(folder):
    """Every file under a folder, by its path, and every empty folder."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }


@pytest.mark.parametrize("there", [False, True], ids=["new", "existing"])
def test_a_folder_takes_its_files_when_all_are_written(tmp_path, there):
    target = tmp_path / "a" / "look"
    if there:
        write_text(target / "b" / "one.txt", "old")
        write_text(target / "own.txt", "own")
    before = tree(tmp_path)
    with atomic_folder(target) as folder:
        (folder / "b").mkdir()
        (folder / "b" / "one.txt").write_text("1")
        write_text(folder / "two.txt", "2")
        assert not there or tree(target)["b/one.txt"] == "old"
        assert there or not target.exists()
    after = {"a/look/b/one.txt": "1", "a/look/two.txt": "2"}
    assert tree(tmp_path) == before | after


@pytest.mark.parametrize("there", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
def test_a_folder_that_fails_leaves_nothing(tmp_path, there, error):
    target = tmp_path / "a" / "look"
    if there:
        write_text(target / "one.txt", "old")
    before = tree(tmp_path)
    with pytest.raises(type(error)) as caught, atomic_folder(target) as folder:
        write_text(folder / "one.txt", "1")
        with atomic_write(folder / "b" / "two.txt"):
            raise error
    assert tree(tmp_path) == before
    if isinstance(error, OSError):
        assert (caught.value.filename, caught.value.strerror) == (
            str(target),
            "cannot be written: No space left on device",
        )


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_folder(tmp_path / "look"):
        (tmp_path / "missing.txt").read_text()
    assert caught.value.filename == str(tmp_path / "missing.txt")
    assert listed(tmp_path) == []


def test_a_folder_where_a_file_is(tmp_path):
    write_text(tmp_path / "look", "a file")
    with (
        pytest.raises(NotADirectoryError, match="is a file; expected the name of a folder"),
        atomic_folder(tmp_path / "look"),
    ):
        pass
    assert tree(tmp_path) == {"look": "a file"}


def test_the_present_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_folder(".") as folder:
        write_text(folder / "one.txt", "1")
    assert tree(tmp_path) == {"one.txt": "1"}


def test_a_folder_of_a_killed_writer_is_removed(tmp_path):
    (tmp_path / ".look.0123abcd" / "b").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    with Claim(tmp_path):
        assert sorted(listed(tmp_path)) == [".hidden", ".lock"]


def test_text_is_read_as_utf_8(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "η = 3")
    assert read_text(path) == "η = 3"
    path.write_bytes(b"ab\xff")
    with pytest.raises(DataError, match=r"x\.txt: is no text in UTF-8 \(byte 2: invalid start byte\)"):
        read_text(path)
    with pytest.raises(DataError, match="no such file"):
        read_text(tmp_path / "y.txt")
