"""The embedder on saved model folders of transformers and sentence-transformers: their own vectors come out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from huggingface_folders import SMALL, TINY_VIT, save_all, wordpiece_tokenizer
from tiny_archives import photo
from torch.nn.functional import normalize

from ts.torch_handler.embedder import Embedder

transformers = pytest.importorskip("transformers", reason="pip install transformers: its models are compared")

TEXTS = ["the rain in spain", "sun", "a good cat is a cat and the dog is a dog", "b" * 200, "the sun is good"]
PHOTOS = [photo("red"), photo("blue", (50, 90)), photo("green", (300, 20))]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    names = ("bert_base", "bert", "distilbert", "gpt2", "vit_base", "vit", "convnext", "resnet")
    return save_all(tmp_path_factory.mktemp("saved"), names)


@pytest.fixture
def load(make_context, monkeypatch):
    """A handler on a folder, and its context: `load(folder, **settings)`."""

    def start(folder, **settings):
        context = make_context(folder, config={"handler": settings})
        handler = Embedder()
        handler.initialize(context)
        return handler, context

    return start


def write_recipe(folder, pooling, *kinds, **config):
    """Makes a folder one of sentence-transformers."""
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        *({"path": kind, "type": f"sentence_transformers.models.{kind}"} for kind in kinds),
    ]
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    (folder / "modules.json").write_text(json.dumps(modules))
    if config:
        (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
    return folder


def hidden(folder, texts, max_length=24):
    """The vectors of tokens of each text alone, by transformers: the published procedure."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            yield model(**inputs).last_hidden_state[0]


def answers_of(loaded, payloads, **options):
    handler, context = loaded
    answers = handler.handle([{"data": payload, **options} for payload in payloads], context)
    assert context.statuses == {}
    return np.array(answers)


@pytest.mark.parametrize("name", ["bert_base", "bert", "distilbert", "gpt2"])
def test_texts_are_the_mean_of_their_tokens(name, folders, load):
    length = 20 if name == "gpt2" else 24
    expected = [tokens.mean(dim=0) for tokens in hidden(folders[name], TEXTS, length)]
    found = answers_of(load(folders[name]), TEXTS)
    assert found == pytest.approx(normalize(torch.stack(expected), dim=1).numpy(), abs=1e-5)
    assert np.ptp(found, axis=0).max() > 0.05  # they differ from text to text


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        ("cls", lambda tokens: tokens[0]),
        ("last", lambda tokens: tokens[-1]),
        ("max", lambda tokens: tokens.amax(dim=0)),
    ],
)
def test_a_setting_chooses_another_pooling(pooling, pool, folders, load):
    expected = torch.stack([pool(tokens) for tokens in hidden(folders["bert_base"], TEXTS)])
    loaded = load(folders["bert_base"], pooling=pooling, normalize=False)
    assert answers_of(loaded, TEXTS) == pytest.approx(expected.numpy(), abs=1e-5)


def test_berts_own_pooler(folders, load):
    model = transformers.AutoModel.from_pretrained(folders["bert_base"]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["bert_base"])
    with torch.no_grad():
        expected = model(**tokenizer(TEXTS[0], return_tensors="pt")).pooler_output
    loaded = load(folders["bert_base"], pooling="pooler", normalize=False)
    assert answers_of(loaded, TEXTS[:1]) == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_folder_of_sentence_transformers_says_how(load, tmp_path):
    folder = write_recipe(
        save_all(tmp_path, ["bert_base"])["bert_base"],
        "cls_token",
        prompts={"query": "sun "},
        default_prompt_name=None,
    )
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 6}))
    loaded = load(folder)
    expected = torch.stack([tokens[0] for tokens in hidden(folder, TEXTS, 6)])
    assert answers_of(loaded, TEXTS) == pytest.approx(expected.numpy(), abs=1e-5)  # not scaled: no Normalize
    prompted = torch.stack([tokens[0] for tokens in hidden(folder, [f"sun {text}" for text in TEXTS], 6)])
    assert answers_of(loaded, TEXTS, prompt="query") == pytest.approx(prompted.numpy(), abs=1e-5)


def test_a_prompt_that_there_is_not_is_refused(load, tmp_path):
    saved = save_all(tmp_path, ["bert_base"])["bert_base"]
    folder = write_recipe(saved, "mean_tokens", "Normalize", prompts={"query": "q: ", "passage": "p: "})
    handler, context = load(folder)
    answers = handler.handle([{"data": "sun", "prompt": "quer"}, {"data": "sun"}], context)
    assert context.statuses == {0: 400}
    assert (
        answers[0]["message"]
        == "Wrong option: the model has no prompt 'quer'; its prompts are query, passage"
    )
    assert np.linalg.norm(answers[1]) == pytest.approx(1)
    with pytest.raises(
        ValueError, match=r"handler\.prompt: the model has no prompt 'quer'; its prompts are query"
    ):
        load(folder, prompt="quer")


def test_text_rows_that_are_none_fail_alone(folders, load):
    handler, context = load(folders["bert_base"])
    rows = [{"data": "sun"}, {"data": " "}, {"data": PHOTOS[0]}, {"data": ["sun", "rain"]}, {}]
    answers = handler.handle(rows, context)
    assert context.statuses == {1: 400, 2: 400, 3: 400, 4: 400}
    assert len(answers[0]) == 32


@pytest.mark.parametrize("name", ["vit_base", "convnext", "resnet"])
def test_images_are_what_the_model_pools_itself(name, folders, load):
    model = transformers.AutoModel.from_pretrained(folders[name]).eval()
    handler, context = load(folders[name], normalize=False)
    with torch.no_grad():
        expected = model(handler.preprocess([{"data": content} for content in PHOTOS])).pooler_output.flatten(
            1
        )
    assert answers_of((handler, context), PHOTOS) == pytest.approx(expected.numpy(), abs=1e-5)
    assert np.ptp(expected.numpy(), axis=0).max() > 0.01


def test_a_pooler_without_weights_is_never_used(folders, load):
    model = transformers.AutoModel.from_pretrained(folders["vit"]).eval()
    handler, context = load(folders["vit"], normalize=False)
    with torch.no_grad():
        tokens = model(handler.preprocess([{"data": content} for content in PHOTOS])).last_hidden_state
    assert answers_of((handler, context), PHOTOS) == pytest.approx(tokens[:, 0].numpy(), abs=1e-5)
    with pytest.raises(ValueError, match=r"would be random: pooler\.dense"):
        load(folders["vit"], pooling="pooler")


def test_a_folder_that_lacks_weights_stops_the_load(load, tmp_path):
    from safetensors.torch import load_file, save_file

    path = save_all(tmp_path, ["bert_base"])["bert_base"] / "model.safetensors"
    weights = {name: value for name, value in load_file(path).items() if "layer.1.output" not in name}
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(ValueError, match=r"would be random: encoder\.layer\.1\.output"):
        load(path.parent)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A folder of a tiny CLIP, whose towers give vectors of 16 numbers."""
    torch.manual_seed(0)
    tokenizer = wordpiece_tokenizer()
    text = {**SMALL, "vocab_size": len(tokenizer), "eos_token_id": 3, "pad_token_id": 0, "bos_token_id": 2}
    config = transformers.CLIPConfig(text_config=text, vision_config=TINY_VIT, projection_dim=16)
    model = transformers.CLIPModel(config).eval()
    processor = transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    folder = tmp_path_factory.mktemp("clip")
    for saved in (model, tokenizer, processor):
        saved.save_pretrained(folder)
    return folder


def features(found):
    return found if isinstance(found, torch.Tensor) else found.pooler_output


def test_a_model_of_two_towers_takes_images_and_texts_in_one_batch(clip, load):
    model = transformers.CLIPModel.from_pretrained(clip).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(clip)
    processor = transformers.AutoImageProcessor.from_pretrained(clip)
    from PIL import Image

    (tmp := clip / "photo.jpg").write_bytes(PHOTOS[1])
    with torch.no_grad():
        image = features(model.get_image_features(**processor(Image.open(tmp), return_tensors="pt")))
        text = features(model.get_text_features(**tokenizer(TEXTS[0], return_tensors="pt")))
    handler, context = load(clip)
    rows = [
        {"data": TEXTS[0]},
        {"data": PHOTOS[1]},
        {"data": "BMW"},
        {"data": b"GIF8 \xff"},
        {"data": TEXTS[0].encode()},
    ]
    answers = handler.handle(rows, context)
    assert context.statuses == {3: 400}
    assert "not an image" in answers[3]["message"]
    assert answers[0] == pytest.approx(normalize(text)[0].tolist(), abs=1e-5)
    assert answers[1] == pytest.approx(normalize(image)[0].tolist(), abs=1e-5)
    assert answers[4] == pytest.approx(answers[0], abs=1e-5)
    context.headers = {0: {"describe": "True"}}
    (description,) = handler.handle([{}], context)
    assert (len(description["payloads"]), description["dimension"]) == (3, 16)


def test_the_encoder_of_an_encoder_and_decoder(load, tmp_path):
    torch.manual_seed(0)
    tokenizer = wordpiece_tokenizer()
    sizes = {"d_model": 32, "d_kv": 16, "d_ff": 37, "num_layers": 2, "num_heads": 2}
    config = transformers.T5Config(vocab_size=len(tokenizer), **sizes)
    for saved in (transformers.T5EncoderModel(config), tokenizer):
        saved.save_pretrained(tmp_path)
    model = transformers.T5EncoderModel.from_pretrained(tmp_path).eval()
    inputs = tokenizer(TEXTS[0], return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        expected = normalize(model(**inputs).last_hidden_state.mean(dim=1))
    assert answers_of(load(tmp_path), TEXTS)[0] == pytest.approx(expected[0].numpy(), abs=1e-5)
