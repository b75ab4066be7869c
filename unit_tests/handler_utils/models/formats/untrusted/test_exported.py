"""Code planted in each place of a file of torch.export, and in none it runs unless the archive trusts the file."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from planted import Planted, expression, rewrite

from ts.handler_utils.models.formats.exported import load_pt2
from ts.handler_utils.models.formats.untrusted.exported import check_exported


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.table = torch.ones(2)

    def forward(self, batch: Any, *, more: Any) -> Any:
        chosen = torch.cond(batch.sum() > 0, lambda x: x + 1, lambda x: x - 1, (self.layer(batch),))
        return {"out": chosen + more + self.table}


def save(path: Path) -> Path:
    rows = torch.export.Dim("rows", min=1)
    shapes = {"batch": {0: rows}, "more": None}
    program = torch.export.export(
        Network(), (torch.zeros(3, 2),), {"more": torch.ones(1)}, dynamic_shapes=shapes
    )
    torch.export.save(program, str(path))
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: Any) -> bytes:
    return save(tmp_path_factory.mktemp("exported") / "model.pt2").read_bytes()


def is_old(path: Path) -> bool:
    """Whether a file is of the layout up to torch 2.7."""
    return "version" in zipfile.ZipFile(path).namelist()


def pickled(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


# Where code is planted: each changes a file ----------------------------------------------------------------

Planter = Callable[[Path, Path], None]


def change_program(path: Path, change: Callable[[Any], None]) -> None:
    def changed(content: bytes) -> bytes:
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    ending = "serialized_exported_program.json" if is_old(path) else "models/model.json"
    rewrite(path, {ending: changed})


def graph_of(program: Any) -> Any:
    return program["graph_module"]["graph"]


def in_the_state_dict(path: Path, mark: Path) -> None:
    state = pickled({"layer.weight": Planted(mark)})
    rewrite(path, {"serialized_state_dict.pt" if is_old(path) else "data/weights/model.pt": state})


def in_the_constants(path: Path, mark: Path) -> None:
    constants = pickled({"table": Planted(mark)})
    rewrite(path, {"serialized_constants.pt" if is_old(path) else "data/constants/model.pt": constants})


def in_the_sample_inputs(path: Path, mark: Path) -> None:
    inputs = pickled(((Planted(mark),), {}))
    rewrite(path, {"serialized_example_inputs.pt" if is_old(path) else "data/sample_inputs/model.pt": inputs})


def in_a_key_of_the_sample_inputs(path: Path, mark: Path) -> None:
    key = f'"+str({expression(mark)})+"'
    inputs = pickled(((), {"batch": {key: torch.zeros(3, 2)}, "more": torch.ones(1)}))
    rewrite(path, {"serialized_example_inputs.pt" if is_old(path) else "data/sample_inputs/model.pt": inputs})


def in_an_expression(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        for value in graph_of(program)["tensor_values"].values():
            for size in value["sizes"]:
                if "as_expr" in size:
                    size["as_expr"]["expr_str"] = expression(mark)

    change_program(path, change)


def in_the_name_of_a_value(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        first = graph_of(program)["nodes"][0]["outputs"][0]["as_tensor"]["name"]
        rename(program, first, f"x={expression(mark)};y")

    change_program(path, change)


def in_the_name_of_an_input(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        rename(program, graph_of(program)["inputs"][-1]["as_tensor"]["name"], f"x={expression(mark)},y")

    change_program(path, change)


def in_the_name_of_a_parameter(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        rename(program, "layer.weight", f'layer.") or {expression(mark)} or ("weight')

    change_program(path, change)


def in_the_name_of_an_argument(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        node = next(node for node in graph_of(program)["nodes"] if "higher_order" in node["target"])
        node["inputs"][-1].update(name=f"x={expression(mark)}, y", kind=2)

    change_program(path, change)


def in_the_name_of_a_keyword(path: Path, mark: Path) -> None:
    names = json.dumps([f"x={expression(mark)}"])
    change_inputs(path, lambda form: form["children_spec"][1].update(type="builtins.dict", context=names))


def in_a_default_of_the_inputs(path: Path, mark: Path) -> None:
    (path.parent / "planted_module.py").write_text(f"import os; os.mkdir({str(mark)!r})")
    context = {"default_factory_module": "planted_module", "default_factory_name": "x", "dict_context": "[]"}
    change_inputs(path, lambda form: form.update(type="collections.defaultdict", context=context))


def in_an_enumeration_of_the_inputs(path: Path, mark: Path) -> None:
    (path.parent / "planted_module.py").write_text(f"import os; os.mkdir({str(mark)!r})")
    context = json.dumps([{"__enum__": True, "fqn": "planted_module:X", "name": "x"}])
    change_inputs(path, lambda form: form["children_spec"][1].update(context=context))


def in_a_condition(path: Path, mark: Path) -> None:
    change_program(path, lambda program: program.update(guards_code=[expression(mark)]))


def in_a_text_of_a_condition(path: Path, mark: Path) -> None:
    text = f"L['more'] == 'it\\'s\"+str({expression(mark)})+\"'"
    change_program(path, lambda program: program.update(guards_code=[text]))


def in_an_operator(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        node = next(node for node in graph_of(program)["nodes"] if "higher_order" in node["target"])
        node["target"] = "torch.serialization.os.mkdir"
        node["inputs"] = [{"name": "", "arg": {"as_string": str(mark)}, "kind": 1}]

    change_program(path, change)


def in_an_operator_that_writes_files(path: Path, mark: Path) -> None:
    def change(program: Any) -> None:
        node = graph_of(program)["nodes"][0]
        node["target"] = "torch.ops.aten.from_file.default"
        values = {"filename": {"as_string": str(mark)}, "shared": {"as_bool": True}, "size": {"as_int": 1}}
        node["inputs"] = [{"name": name, "arg": arg, "kind": 1} for name, arg in values.items()]

    change_program(path, change)


def in_a_second_model(path: Path, mark: Path) -> None:
    in_an_expression(path, mark)
    with zipfile.ZipFile(path) as archive:
        ending = "serialized_exported_program.json" if is_old(path) else "models/model.json"
        (name,) = [name for name in archive.namelist() if name.endswith(ending)]
        program = archive.read(name)
    path.write_bytes(save(path.with_name("plain.pt2")).read_bytes())
    rewrite(path, {ending.upper() if is_old(path) else "models/a.json": program})


def in_weights_that_are_pickled(path: Path, mark: Path) -> None:
    in_the_config(path, "data/weights/model_weights_config.json", "weight_0", pickled(Planted(mark)), True)


def in_constants_that_are_pickled(path: Path, mark: Path) -> None:
    in_the_config(
        path, "data/constants/model_constants_config.json", "tensor_0", pickled(Planted(mark)), True
    )


def in_an_opaque_object(path: Path, mark: Path) -> None:
    content = pickle.dumps(Planted(mark))
    in_the_config(path, "data/constants/model_constants_config.json", "opaque_obj_0", content, False)


def in_the_config(path: Path, config: str, part: str, content: bytes, use_pickle: bool) -> None:
    if is_old(path):
        pytest.skip("the layout up to torch 2.7 has no such place")

    def change(old: bytes) -> bytes:
        found = json.loads(old)
        found["config"]["table"] = {
            "path_name": part,
            "is_param": False,
            "use_pickle": use_pickle,
            "tensor_meta": None,
        }
        return json.dumps(found).encode()

    rewrite(path, {config: change, f"{config.rpartition('/')[0]}/{part}": content})


def rename(program: Any, name: str, new: str) -> None:
    text = json.dumps(program).replace(json.dumps(name), json.dumps(new))
    program.clear()
    program.update(json.loads(text))


def change_inputs(path: Path, change: Callable[[Any], None]) -> None:
    def changed(program: Any) -> None:
        signature = program["graph_module"]["module_call_graph"][0]["signature"]
        form = json.loads(signature["in_spec"])
        change(form[1])
        signature["in_spec"] = json.dumps(form)
        signature["forward_arg_names"] = []

    change_program(path, changed)


PLANTERS: list[Planter] = [
    value for name, value in list(globals().items()) if name.startswith("in_") and name != "in_the_config"
]


# And what is seen of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("plant", PLANTERS, ids=lambda plant: plant.__name__)
def test_planted_code_does_not_run(
    plant: Planter, exported: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    path, mark = tmp_path / "model.pt2", tmp_path / "ran"
    path.write_bytes(exported)
    plant(path, mark)
    with pytest.raises(ValueError, match=r"^model\.pt2 is not read: it holds .*trust_pickle: true"):
        load_pt2(path, "cpu")
    assert not mark.exists()


@pytest.mark.parametrize("plant", [in_the_state_dict, in_the_constants, in_an_expression])
def test_planted_code_runs_where_the_file_is_trusted(plant: Planter, exported: bytes, tmp_path: Path) -> None:
    path, mark = tmp_path / "model.pt2", tmp_path / "ran"
    path.write_bytes(exported)
    plant(path, mark)
    with suppress(Exception):  # what the code returned is no model
        load_pt2(path, "cpu", trust_pickle=True)
    assert mark.exists()


def test_what_torch_wrote_is_read_as_it_was(exported: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(exported)
    model = load_pt2(tmp_path / "model.pt2", "cpu")
    batch, more = torch.arange(8.0).reshape(4, 2), torch.full((1,), 0.5)
    trusted = load_pt2(tmp_path / "model.pt2", "cpu", trust_pickle=True)
    assert model(batch, more=more)["out"].tolist() == trusted(batch, more=more)["out"].tolist()


def test_weights_of_no_bytes_that_claim_a_size_are_refused(exported: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(exported)
    if is_old(path):
        pytest.skip("the layout up to torch 2.7 has no such place")

    def claim(content: bytes) -> bytes:
        config = json.loads(content)
        config["config"]["layer.weight"]["tensor_meta"]["sizes"] = [{"as_int": 10**12}]
        return json.dumps(config).encode()

    rewrite(path, {"model_weights_config.json": claim, "data/weights/weight_0": b""})
    with pytest.raises(
        ValueError, match=r"it holds weights of \[1000000000000\] in weight_0, which is empty"
    ):
        load_pt2(path, "cpu")


def test_symbols_that_torch_would_count_up_to_are_refused(exported: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(exported)
    change_program(
        path, lambda program: program["range_constraints"].update(u99999999999={"min_val": 0, "max_val": 9})
    )
    with pytest.raises(ValueError, match="the symbol 'u99999999999', whose number is none or too high"):
        load_pt2(path, "cpu")


def test_a_program_nested_too_deeply_is_refused(exported: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(exported)
    ending = "serialized_exported_program.json" if is_old(path) else "models/model.json"
    rewrite(path, {ending: b"[" * 100_000 + b"]" * 100_000})
    with pytest.raises(ValueError, match=r"JSON in .*json that is nested too deeply"):
        load_pt2(path, "cpu")


def test_a_package_whose_names_lead_out_of_it_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as package:
        package.writestr("m/data/aotinductor/model/../../../../planted.so", b"")
    with pytest.raises(ValueError, match="which is no plain path"):
        check_exported(tmp_path / "model.pt2")


def test_a_package_with_a_model_of_torch_export_beside_is_looked_at_too(
    exported: bytes, tmp_path: Path
) -> None:
    path, mark = tmp_path / "model.pt2", tmp_path / "ran"
    path.write_bytes(exported)
    in_an_expression(path, mark)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(f"{root(path)}data/aotinductor/model/model.so", b"")
    with pytest.raises(ValueError, match=r"^model\.pt2 is not read: it holds an expression"):
        check_exported(path, "Compile it again.")
    assert not mark.exists()


def root(path: Path) -> str:
    """The folder in an archive that all of its parts lie in, if there is one."""
    return "" if is_old(path) else zipfile.ZipFile(path).namelist()[0].partition("/")[0] + "/"
