"""Photos for jobs."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from benchmarks.batch.photos import HEIGHT, WIDTH, write_photos


def test_photos_are_about_as_large_no_two_the_same_and_the_middle_one_damaged(tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.linear_gradient("L").resize((700, 600)).convert("RGB").save(source)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_photos(tmp_path / name, [source], 9, seed=1)
    paths = sorted((tmp_path / "a").iterdir())
    contents = [path.read_bytes() for path in paths]
    assert [path.name for path in paths] == [f"{number:06}.jpg" for number in range(9)]
    assert len(set(contents)) == 9
    assert contents == [path.read_bytes() for path in sorted((tmp_path / "b").iterdir())]
    for number, path in enumerate(paths):
        if number == 4:
            continue
        with Image.open(path) as photo:
            assert abs(photo.width / WIDTH - 1) <= 0.16
            assert abs(photo.height / HEIGHT - 1) <= 0.16
    try:
        Image.open(paths[4]).load()
    except (OSError, UnidentifiedImageError):
        return
    raise AssertionError("the damaged photo can be read")
