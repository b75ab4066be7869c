"""Which layers stay in float32: those that were named, and those whose weights int8 would round too far."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quantizable import CLEAR, write_archive

from ts.handler_utils.models.openvino.conversion import same_log
from ts.runner.errors import ArchiveError
from ts.runner.quantizing import Plan, quantize_archive
from ts.runner.quantizing.layers import chosen_layers, coarse_layers, layers_of, lost, weights_of

openvino = pytest.importorskip(
    "openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'"
)
pytest.importorskip("nncf", reason="needs nncf: pip install 'torchserve-handlers[quantize]'")

# A weight a channel that is hundreds of times the others, of an input that is black in all photos.
WIDE = CLEAR.replace(
    "self.layer(images)", "self.layer(torch.nn.functional.pad(images, (0, 0, 0, 0, 0, 13)))"
).replace("torch.nn.Conv2d(3, 16, 3)", "torch.nn.Conv2d(16, 16, 3); self.layer.weight.data[:, 15, 1, 1] = 20")


def converted(network: torch.nn.Module, *inputs: torch.Tensor) -> Any:
    with same_log():
        return openvino.convert_model(network.eval(), example_input=inputs)


def test_weights_are_of_one_channel_of_the_output_a_row():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(4, 6, 3), torch.nn.Conv2d(6, 12, 3, groups=6), torch.nn.Linear(5, 7)
    )
    layers = layers_of(converted(network, torch.rand(1, 4, 9, 9)))
    assert [layer.get_type_name() for layer in layers] == ["Convolution", "GroupConvolution", "MatMul"]
    for layer, module in zip(layers, network):
        weights = module.weight.detach().numpy()
        np.testing.assert_array_equal(weights_of(layer), weights.reshape(len(weights), -1))


def test_products_of_activations_have_no_weights():
    class Attention(torch.nn.Module):
        def forward(self, values):
            return values @ values.transpose(1, 2)

    (layer,) = layers_of(converted(Attention(), torch.rand(1, 3, 4)))
    assert weights_of(layer) is None
    assert lost(layer) == 0


def test_layers_with_few_weights_above_all_others_are_coarse():
    torch.manual_seed(0)
    network = torch.nn.Sequential(*(torch.nn.Conv2d(8, 8, 3) for _ in range(3)))
    with torch.no_grad():
        network[1].weight[:, 0, 0, 0] = 30
        network[2].weight.zero_()
    model = converted(network, torch.rand(1, 8, 9, 9))
    layers = layers_of(model)
    assert [lost(layer) > 0.1 for layer in layers] == [False, True, False]
    assert lost(layers[0]) == pytest.approx(0.008, abs=0.004)  # of even weights a quarter of a step in 63
    assert [layer.get_friendly_name() for layer in coarse_layers(model)] == [layers[1].get_friendly_name()]
    ends = [layer.get_friendly_name() for layer in chosen_layers(model, ["ends"])]
    assert ends == [layers[0].get_friendly_name(), layers[2].get_friendly_name()]


def test_a_layer_that_int8_would_round_too_far_stays_in_float32(noise: Path, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive", WIDE)
    report = quantize_archive(archive, tmp_path / "int8.mar", Plan([str(noise)]))
    assert report.problem is None
    assert report.coarse == 1
    with zipfile.ZipFile(tmp_path / "int8.mar") as found:
        assert found.read("openvino/model.xml").count(b'element_type="i8"') == 1


def test_a_network_all_of_which_would_stay_in_float32_is_refused(noise: Path, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="nothing of the network would compute in int8: its 2 layers stay"):
        quantize_archive(archive, tmp_path / "int8.mar", Plan([str(noise)], left_float=("ends",)))
    assert not (tmp_path / "int8.mar").exists()
