"""Texts that strangers send to text classifiers: each an answer or a refusal, at a bounded cost, and alone."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
import torch
from torch import nn

from benchmarks.strangers.texts import EMPTY, NOT_TEXTS, NOT_UTF_8, SURROGATES, TEXTS, hostile_text
from ts.handler_utils.text.vocabulary import Vocabulary
from ts.torch_handler.text_classifier import TextClassifier

ROOT = Path(__file__).resolve().parents[2]
WORDS = ["<unk>", "the", "rain", "in", "spain", "the rain", "a", "snow"]
GOOD = [b"the rain", b"in spain", b"a rain in the snow"]


class Bag(nn.Module):
    """`logits`, if it is set, are those that it returns for the tokens of a text that begins with a token."""

    def __init__(self, mode: str = "mean") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.EmbeddingBag(len(WORDS), 8, mode=mode)
        self.fc = nn.Linear(8, 3)
        self.wrong: dict[int, list[float]] = {}
        self.change: Callable[[torch.Tensor], torch.Tensor] = lambda logits: logits

    def forward(self, text: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        logits = self.fc(self.embedding(text, offsets))
        for row, token in enumerate(text[offsets].tolist()):
            if token in self.wrong:
                logits[row] = torch.tensor(self.wrong[token])
        return self.change(logits)


@pytest.fixture
def classifier() -> TextClassifier:
    handler = TextClassifier()
    handler.model, handler.device = Bag().eval(), torch.device("cpu")
    handler.source_vocab = Vocabulary({word: index for index, word in enumerate(WORDS)}, 0)
    return handler


@pytest.fixture
def transformer(tmp_path: Path, make_context: Any, monkeypatch: pytest.MonkeyPatch) -> TextClassifier:
    """A network of at most 512 positions, and a tokenizer.json without a truncation."""
    library = pytest.importorskip("tokenizers", reason="transformers' texts need tokenizers")
    (tmp_path / "positions.py").write_text(
        "import torch\nfrom torch import nn\n"
        "class Network(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        torch.manual_seed(0)\n"
        "        self.words, self.fc = nn.Embedding(300, 8), nn.Linear(8, 2)\n"
        "        self.positions = nn.Parameter(torch.randn(512, 8))\n"
        "    def forward(self, input_ids, attention_mask):\n"
        "        self.shape = tuple(input_ids.shape)\n"
        "        hidden = self.words(input_ids) + self.positions[: input_ids.shape[1]]\n"
        "        mask = attention_mask[..., None]\n"
        "        return self.fc((hidden * mask).sum(dim=1) / mask.sum(dim=1))\n"
    )
    bytes_ = sorted(library.pre_tokenizers.ByteLevel.alphabet())
    words = {word: index for index, word in enumerate(["[PAD]", "[CLS]", "[SEP]", *bytes_])}
    tokenizer = library.Tokenizer(library.models.BPE(words, []))
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = library.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    handler = TextClassifier()
    handler.initialize(make_context(modelFile="positions.py"))
    return handler


@pytest.fixture
def ask(make_context: Any) -> Callable[..., Any]:
    """Answers payloads in one batch: `answers, context = ask(handler, payloads)`."""

    def run(handler: TextClassifier, payloads: list[Any], explain: bool = False, **options: Any) -> Any:
        context = make_context(headers={row: {"explain": "True"} for row in range(len(payloads)) if explain})
        context.sent = {}
        context.set_response_header = lambda row, name, value: context.sent.update({(row, name): value})
        rows = [{"data": payload, **options} for payload in payloads]
        return handler.handle(rows, context), context

    return run


def is_answer(answer: Any) -> bool:
    json.dumps(answer, allow_nan=False)
    return len(answer) in (2, 3) and sum(answer.values()) == pytest.approx(1)


# What is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classifier", "transformer"])
@pytest.mark.parametrize("size", [40, 3_000])
def test_every_text_is_answered_or_refused_and_its_neighbours_are_answered_as_alone(
    kind: str, size: int, ask: Any, request: pytest.FixtureRequest
) -> None:
    handler = request.getfixturevalue(kind)
    alone = [ask(handler, [text])[0][0] for text in GOOD]
    for name in (*TEXTS, *SURROGATES):
        text = hostile_text(name, size)
        payload = text if name in SURROGATES else text.encode()
        (first, answer, *others), context = ask(handler, [GOOD[0], payload, *GOOD[1:]])
        if context.statuses:
            assert context.statuses == {1: 400}, name
            assert answer["message"].startswith("The text "), name
            assert len(answer["message"]) < 200, name
        else:
            assert name not in SURROGATES
            assert is_answer(answer), name
        for found, expected in zip((first, *others), alone):
            assert found == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize(
    "payload", [*NOT_TEXTS.values(), *NOT_UTF_8.values(), *EMPTY.values(), "\ud800", "\U0001f600"], ids=ascii
)
def test_what_is_no_text_is_a_400_of_one_sentence_without_a_traceback(
    payload: Any, explain: bool, classifier: TextClassifier, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    if explain:
        pytest.importorskip("captum", reason="explanations need captum")
    (good, refused), context = ask(classifier, [GOOD[0], payload], explain)
    assert context.statuses == {1: 400}
    assert refused["code"] == 400
    assert 0 < len(refused["message"]) < 150
    assert "message" not in good
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_text_of_unknown_words_only_is_answered_where_the_vocabulary_knows_that(
    classifier: TextClassifier, ask: Any
) -> None:
    assert is_answer(ask(classifier, [b"hail \0 fog"])[0][0])


@pytest.mark.parametrize(
    "value", [-1, 10**18, 10**400, "9" * 5_000, -(10**400), 1.5, "", "NaN", [], {}, True]
)
@pytest.mark.parametrize("name", ["topk", "target"])
def test_an_option_that_is_no_class_is_a_400(
    name: str, value: Any, classifier: TextClassifier, ask: Any
) -> None:
    pytest.importorskip("captum", reason="explanations need captum")
    _, context = ask(classifier, GOOD[:1], name == "target", **{name: value})
    assert context.statuses == ({} if value is True else {0: 400})


def test_a_topk_beyond_the_classes_names_them_all(classifier: TextClassifier, ask: Any) -> None:
    ((answer,), _) = ask(classifier, GOOD[:1], topk=2**31 - 1)
    assert is_answer(answer)


# What it may cost --------------------------------------------------------------------------------------------


def test_a_longer_text_than_max_text_bytes_is_a_413_alone(classifier: TextClassifier, ask: Any) -> None:
    (good, refused), context = ask(classifier, [b"a" * 100_000, b"a" * 100_001])
    assert context.statuses == {1: 413}
    assert "100001 bytes, and max_text_bytes is 100000" in refused["message"]
    assert is_answer(good)


@pytest.mark.parametrize(("limit", "status"), [(10, 413), (200_000, None), (None, None)])
def test_max_text_bytes_is_a_setting(
    limit: Optional[int], status: Optional[int], classifier: TextClassifier, ask: Any
) -> None:
    classifier.settings = classifier.settings_class(max_text_bytes=limit)
    _, context = ask(classifier, [b"a" * 100_001])
    assert context.statuses.get(0) == status


@pytest.mark.parametrize("characters", [400_000, 257, 256, 5])
def test_marks_are_put_in_order_in_pieces_only(
    characters: int, classifier: TextClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 7 of the issue's table: to put a run of n marks in order takes n * n steps."""
    lengths = []
    real = unicodedata.normalize

    def normalize(form: str, text: str) -> str:
        lengths.append(len(text))
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", normalize)
    text = "a\u0301\u0323" * (characters // 3)
    assert classifier._remove_accented_characters(text) == "a" * (characters // 3)
    assert max(lengths) <= 256
    assert sum(lengths) == len(text)


def test_half_a_megabyte_of_each_text_is_cleaned_where_a_step_of_quadratic_cost_would_not_end() -> None:
    code = """
from benchmarks.strangers.texts import TEXTS, hostile_text
from ts.handler_utils.text.vocabulary import look_up
from ts.torch_handler.text_classifier import TextClassifier

handler = TextClassifier()
for name in TEXTS:
    tokens = handler.tokens(hostile_text(name, 500_000))
    look_up({"rain": 1}, tokens)
print("all", len(TEXTS))
"""
    # Brackets alone would take minutes, by the expression for tags.
    paths = [str(ROOT), str(ROOT / "unit_tests" / "helpers")]
    code = f"import sys; sys.path[:0] = {paths!r}" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout == f"all {len(TEXTS)}\n", done.stderr


def test_a_long_text_is_cut_at_the_tokenizers_limit_and_its_client_is_told(
    transformer: TextClassifier, ask: Any
) -> None:
    """Row 8: 16,000 tokens went to the model, and its neighbours waited."""
    (alone,), _ = ask(transformer, GOOD[:1])
    (good, long), context = ask(transformer, [GOOD[0], b"rain" * 4_000])
    assert transformer.model.shape == (2, 512)
    assert context.statuses == {}
    assert context.sent == {(1, "ts-tokens"): "512 of 16002"}
    assert good == pytest.approx(alone, abs=1e-6)
    assert is_answer(long)


def test_an_explanation_of_a_long_text_names_the_tokens_that_the_model_got(
    transformer: TextClassifier, ask: Any
) -> None:
    pytest.importorskip("captum", reason="explanations need captum")
    ((answer,), context) = ask(transformer, [b"rain" * 4_000], explain=True)
    assert context.sent == {(0, "ts-tokens"): "512 of 16002"}
    assert len(answer["importances"]) == len(answer["words"]) == 512
    assert (answer["words"][0], answer["words"][-1]) == ("[CLS]", "[SEP]")


def test_a_long_bag_is_explained(classifier: TextClassifier, ask: Any) -> None:
    pytest.importorskip("captum", reason="explanations need captum")
    ((answer,), context) = ask(classifier, [b"the rain in spain " * 5_555], explain=True)
    assert context.statuses == {}
    assert len(answer["importances"]) == len(answer["words"]) == 4 * 5_555


# What a model returns ----------------------------------------------------------------------------------------

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize("logits", [[NAN, 0, 1], [NAN] * 3, [INFINITY, 0, 1], [-INFINITY] * 3], ids=str)
@pytest.mark.parametrize("explain", [False, True])
def test_logits_that_are_no_numbers_are_a_5xx_of_their_row_and_no_class(
    logits: list[float], explain: bool, classifier: TextClassifier, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    if explain:
        pytest.importorskip("captum", reason="explanations need captum")
    expected, _ = ask(classifier, [GOOD[0], GOOD[2]], explain)
    classifier.model.wrong[WORDS.index("in")] = logits
    (first, failed, second), context = ask(classifier, GOOD, explain)
    assert context.statuses == {1: 503}
    assert failed["message"] == "Prediction failed"
    assert [first, second] == expected
    assert "the model returned logits that are not finite" in caplog.text


def test_a_single_logit_of_minus_infinity_is_a_class_that_is_not_meant(
    classifier: TextClassifier, ask: Any
) -> None:
    classifier.model.wrong[WORDS.index("in")] = [0, -INFINITY, 0]
    (_, answer, _), context = ask(classifier, GOOD)
    assert context.statuses == {}
    assert answer == {"0": 0.5, "1": 0.0, "2": 0.5}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda logits: torch.cat([logits, logits]), "one result a row: 2 results for 1 rows"),
        (lambda logits: logits[:0], "one result a row: 0 results for 1 rows"),
        (lambda logits: logits[0], r"the model returned logits of shape [3], not [N, classes]"),
        (lambda logits: logits.sum(), r"the model returned logits of shape [], not [N, classes]"),
    ],
)
def test_an_output_of_another_shape_is_a_5xx_that_the_log_tells_of(
    change: Any, problem: str, classifier: TextClassifier, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    classifier.model.change = change
    answers, context = ask(classifier, GOOD)
    assert context.statuses == {0: 503, 1: 503, 2: 503}
    assert {answer["message"] for answer in answers} == {"Prediction failed"}
    assert problem in caplog.text


def test_what_the_neighbours_say_changes_no_bit(classifier: TextClassifier, ask: Any) -> None:
    answers = [
        ask(classifier, [GOOD[0], *others])[0][0] for others in (GOOD[1:], GOOD[:0:-1], [b"a", b"\xff a"])
    ]
    assert answers[0] == answers[1]
    (alone,), _ = ask(classifier, GOOD[:1])
    assert answers[0] == pytest.approx(alone, abs=1e-6)
