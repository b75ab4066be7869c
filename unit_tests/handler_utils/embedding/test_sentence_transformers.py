"""The recipe of a sentence-transformers model is read from its folder, in the form of any version."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from ts.handler_utils.embedding.sentence_transformers import Recipe, read_recipe

OLD = "sentence_transformers.models."
NEW = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
}


@pytest.fixture
def write(tmp_path):
    """Writes a folder: `write(["Transformer", "Pooling"], Pooling={...})`."""

    def write(kinds, names=None, **configs):
        modules = []
        for index, kind in enumerate(kinds):
            path = "" if index == 0 else f"{index}_{kind}"
            modules.append({"idx": index, "path": path, "type": (names or {}).get(kind, OLD + kind)})
            if path and kind in configs:
                (tmp_path / path).mkdir(exist_ok=True)
                (tmp_path / path / "config.json").write_text(json.dumps(configs[kind]))
        (tmp_path / "modules.json").write_text(json.dumps(modules))
        return tmp_path

    return write


def test_a_folder_without_modules_has_no_recipe(tmp_path):
    assert read_recipe(tmp_path) == Recipe()


def test_a_folder_of_older_versions(write):
    flags = {"word_embedding_dimension": 4, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}
    recipe = read_recipe(write(["Transformer", "Pooling", "Normalize"], Pooling=flags))
    assert (recipe.ways, recipe.normalize, recipe.layers) == (("cls", "mean"), True, ())


@pytest.mark.parametrize(
    ("mode", "ways"),
    [("lasttoken", ("last",)), (["max", "mean_sqrt_len_tokens"], ("max", "mean_sqrt_len"))],
)
def test_a_folder_of_todays_version(mode, ways, write):
    recipe = read_recipe(write(["Transformer", "Pooling"], NEW, Pooling={"pooling_mode": mode}))
    assert (recipe.ways, recipe.normalize) == (ways, False)


def test_prompts(write):
    folder = write(["Transformer", "Pooling"], Pooling={})
    config = {"prompts": {"query": "query: ", "other": None}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
    recipe = read_recipe(folder)
    assert (recipe.prompts, recipe.prompt, recipe.lower_case) == ({"query": "query: "}, "query", False)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"do_lower_case": True}))
    assert read_recipe(folder).lower_case


def test_a_model_that_does_not_pool_its_prompts_is_refused(write):
    folder = write(["Transformer", "Pooling"], Pooling={"include_prompt": False})
    assert read_recipe(folder).ways == ("mean",)
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "query: "}}))
    with pytest.raises(ValueError, match="include_prompt"):
        read_recipe(folder)


@pytest.mark.parametrize("suffix", ["bin", "safetensors"])
def test_dense_layers(suffix, write):
    config = {"in_features": 3, "out_features": 2, "bias": True}
    folder = write(
        ["Transformer", "Pooling", "Dense", "Normalize"],
        Pooling={"pooling_mode_mean_tokens": True},
        Dense={**config, "activation_function": "torch.nn.modules.activation.Tanh"},
    )
    torch.manual_seed(0)
    linear = nn.Linear(3, 2)
    weights = {f"linear.{name}": value.detach() for name, value in linear.named_parameters()}
    if suffix == "bin":
        torch.save(weights, folder / "2_Dense" / "pytorch_model.bin")
    else:
        from safetensors.torch import save_file

        save_file(weights, folder / "2_Dense" / "model.safetensors")
    (layer,) = read_recipe(folder, "cpu").layers
    vectors = torch.randn(4, 3)
    assert torch.equal(layer(vectors), linear(vectors).tanh())


def test_dense_layers_need_their_weights(write):
    folder = write(
        ["Transformer", "Pooling", "Dense"], Pooling={}, Dense={"in_features": 3, "out_features": 2}
    )
    with pytest.raises(FileNotFoundError, match="2_Dense of the archive has no weights"):
        read_recipe(folder)


@pytest.mark.parametrize(
    ("kinds", "configs", "message"),
    [
        (["Transformer", "WordWeights"], {}, "no module 'sentence_transformers.models.WordWeights' is"),
        (["BoW", "Pooling"], {}, "no module 'sentence_transformers.models.BoW'"),
        (["Transformer", "Normalize", "Pooling"], {}, "in an order that is not known"),
        (["Transformer", "Pooling", "Normalize", "Dense"], {"Dense": {}}, "in an order that is not known"),
        (
            ["Transformer", "Pooling"],
            {"Pooling": {"pooling_mode": "median"}},
            "no pooling 'median', but cls, max",
        ),
        (
            ["Transformer", "Pooling", "Dense"],
            {"Dense": {"use_residual": True}},
            "2_Dense is a layer that is not",
        ),
        (
            ["Transformer", "Pooling", "Dense"],
            {"Dense": {"activation_function": "os.system"}},
            "then Identity",
        ),
    ],
)
def test_what_is_not_known_stops_the_load(kinds, configs, message, write):
    with pytest.raises(ValueError, match=message):
        read_recipe(write(kinds, **configs))


def test_no_path_leads_out_of_the_folder(tmp_path):
    modules = [{"type": OLD + "Transformer"}, {"type": OLD + "Pooling", "path": "../1_Pooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ValueError, match="out of the folder"):
        read_recipe(tmp_path)
    (tmp_path / "modules.json").write_text("{}")
    with pytest.raises(ValueError, match=r"modules\.json holds no list"):
        read_recipe(tmp_path)
