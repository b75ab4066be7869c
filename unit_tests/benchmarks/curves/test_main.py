"""The benchmark of curves runs, on its cheapest one."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from benchmarks.cases import OURS, TORCHSERVE
from benchmarks.curves import __main__ as command
from benchmarks.curves.__main__ import main
from benchmarks.curves.cases import curves, photo
from benchmarks.curves.fitting import P99
from benchmarks.curves.tasks import checked
from benchmarks.inputs import Inputs
from benchmarks.results import CaseResult, Figures, read


def test_both_sides_are_timed_and_what_is_in_the_file_is_not_measured_again(torchserve, tmp_path, capsys):
    path = tmp_path / "curves.json"
    asked = ["--upstream", str(torchserve), "--quick", "--only", "text-length", "--json", str(path)]
    main(asked)
    first, second = read(path).cases
    assert [case.name for case in (first, second)] == ["text-length/10", "text-length/100"]
    for case in (first, second):
        assert [(each.name, each.missing, len(each.seconds)) for each in case.figures] == [
            (TORCHSERVE, None, 1),
            (OURS, None, 1),
        ]
    assert "| characters of a text | texts/s, torchserve 0.12 |" in capsys.readouterr().out
    before = path.read_bytes()
    main([*asked, "--resume"])
    assert path.read_bytes() == before


def test_a_curve_that_fails_loses_no_other_and_is_left_to_a_resume(torchserve, tmp_path, monkeypatch, capsys):
    def fake(curve, plan, folder):
        if curve.name == broken:
            raise OSError("no space left")
        figures = [Figures(OURS, 1, [1.0], more={curve.x: 1.0, P99: 1.0})]
        return [CaseResult(f"{curve.name}/1", "", "texts", figures, [])]

    monkeypatch.setattr(command, "measure", fake)
    path, broken = tmp_path / "curves.json", "classes"
    asked = ["--upstream", str(torchserve), "--only", "classes", "tokens", "--json", str(path), "--resume"]
    with pytest.raises(SystemExit, match="failed, and to be measured by --resume: classes"):
        main(asked)
    assert "OSError: no space left" in capsys.readouterr().err
    assert [case.name for case in read(path).cases] == ["tokens/1"]
    broken = "none"
    main(asked)
    assert [case.name for case in read(path).cases] == ["tokens/1", "classes/1"]


def test_an_unknown_curve_and_a_wrong_folder_are_named(torchserve, tmp_path, capsys):
    for arguments in (["--upstream", str(torchserve), "--only", "nonsense"], ["--upstream", str(tmp_path)]):
        with pytest.raises(SystemExit):
            main(arguments)
    said = capsys.readouterr().err
    assert "invalid choice: 'nonsense'" in said
    assert "batch-size" in said
    assert "holds no ts/model_server.py" in said


def test_values_grow_and_names_are_unique():
    found = curves(whole=True)
    assert len({curve.name for curve in found}) == len(found)
    for curve in found:
        assert list(curve.xs) == sorted(set(curve.xs))
        names = [contender.name for contender in curve.contenders]
        assert len(set(names)) == len(names)
        assert set(curve.reasons) <= set(names)


@pytest.mark.parametrize("megapixels", [0.1, 1.5])
def test_a_photo_has_the_pixels_that_are_asked_for(megapixels):
    width, height = Image.open(io.BytesIO(photo(Inputs(1), megapixels))).size
    assert width * height == pytest.approx(megapixels * 1e6, rel=0.01)
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_a_refusal_is_no_answer():
    class Refusing:
        def get_response_status(self, row):
            return (413 if row else 200), ""

    assert checked(["fine"], Refusing()) == ["fine"]
    with pytest.raises(RuntimeError, match="row 1 is answered with 413: too large"):
        checked(["fine", "too large"], Refusing())
