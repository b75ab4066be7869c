"""Texts are cleaned step by step as torchserve's own text handlers clean them."""

from __future__ import annotations

import random

import pytest
import torch
from at_hand import or_skip

from examples.assets import REUTERS_TEST, fetch
from examples.text_classifier.archive import read_documents
from ts.handler_utils.text.encoding import cleaned_words
from ts.torch_handler.contractions import CONTRACTION_MAP
from ts.torch_handler.text_classifier import TextClassifier
from ts.torch_handler.text_handler import TextHandler
from ts.utils.util import CLEANUP_REGEX

STEPS = [
    "_remove_html_tags",
    "_expand_contractions",
    "_remove_accented_characters",
    "_remove_punctuation",
    "_tokenize",
]

UPSTREAM = """
from ts.torch_handler.text_classifier import TextClassifier
class AnyWord(dict):
    def __missing__(self, token):
        return 0
handler = TextClassifier()
handler.device, handler.source_vocab = "cpu", AnyWord()
steps = [getattr(handler, step) for step in arguments["steps"]]
words = [handler.preprocess([{"data": text}])[1] for text in arguments["texts"]]
answer([[step(text) for step in steps] + [words] for text, words in zip(arguments["texts"], words)])
"""

NASTY = [
    *(
        "don't",
        "'cause",
        "he'll've",
        "can't've",
        "CAN'T",
        "AIN'T",
        "y'all'd",
        "sha'n't",
        "o'clock",
        "I'm",
        "'s",
    ),
    *(
        "<b>",
        "</p>",
        "<br />",
        "<",
        "&",
        "&amp;",
        "&AMP;",
        "&#39;",
        "&#x27;",
        "&nope;",
        "é",
        "Ü",
        "ß",
        "ﬁ",
        "½",
    ),
    *("’", "'", '"', " ", "\n", "\t", "\u2028", "\xa0", "\x1c", "😀", "日", "12.5%", "$", "A.B.", "_", "-"),
    *(";", ":", "(", ")", "!", "?", ",", ".", "x", "The", "whe'll", "the'd", "t'"),
]


class Handler(TextHandler):
    pass


@pytest.fixture
def handler():
    return Handler()


@pytest.fixture(scope="module")
def nasty_texts():
    generator = random.Random(0)
    return [
        *CONTRACTION_MAP,
        *(contraction.upper() for contraction in CONTRACTION_MAP),
        *(contraction.title() + "x" for contraction in CONTRACTION_MAP),
        *("".join(generator.choices(NASTY, k=generator.randint(1, 12))) for _ in range(1500)),
    ]


def held_against_torchserve(handler, texts, upstream):
    ours = [
        [*(getattr(handler, step)(text) for step in STEPS), cleaned_words(handler, text)] for text in texts
    ]
    theirs = upstream(UPSTREAM, steps=STEPS, texts=texts)
    for text, our_steps, their_steps in zip(texts, ours, theirs):
        assert our_steps == their_steps, text


def test_nasty_texts_are_cleaned_as_by_torchserve(handler, nasty_texts, upstream):
    held_against_torchserve(handler, nasty_texts, upstream)


def test_news_are_cleaned_as_by_torchserve(handler, upstream):
    texts, _ = read_documents(or_skip(fetch, REUTERS_TEST))
    held_against_torchserve(handler, texts[:400], upstream)


def test_a_text_becomes_lower_case_ascii_words(handler):
    text = "<p>The caf\u00e9&apos;s &amp; bar's owners <b>can't</b> pay: they're \u201cbroke\u201d!</p>"
    words = ["the", "cafes", "bars", "owners", "cannot", "pay", "they", "are", "broke"]
    assert cleaned_words(handler, text) == words


def test_contractions_keep_their_first_letter(handler):
    assert (
        handler._expand_contractions("I'm sure they won't. Isn't it?")
        == "I am sure they will not. Is not it?"
    )
    assert handler._expand_contractions("CAN'T") == "Cannot"


def test_quirks_of_torchserves_contractions_are_kept_since_its_models_were_asked_so(handler):
    assert handler._expand_contractions("ain't") == "as not"
    assert handler._expand_contractions("'cause") == "ecause"
    assert handler._expand_contractions("can't've") == "cannotve"


def test_letters_that_fold_into_ascii_ones_do_not_end_the_request(handler):
    # \u017f folds into s, \u0130 into i: torchserve raises a TypeError.
    assert handler._expand_contractions("\u017fhe's \u0130'm") == "\u017fhe is \u0130m"


def test_no_contraction_begins_with_another():
    assert not [(a, b) for a in CONTRACTION_MAP for b in CONTRACTION_MAP if a != b and b.startswith(a)]


def test_the_old_misspelling_works_and_warns(handler):
    with pytest.warns(PendingDeprecationWarning, match="_remove_punctuation"):
        assert handler._remove_puncutation("a.b") == "ab"


def test_word_tokens_lose_the_mark_of_a_space(handler):
    assert handler.get_word_token(["Hello", "\u0120world", "##s"]) == ["Hello", "world", "##s"]


def test_attributions_are_summarised_as_by_torchserve(handler, upstream):
    generator = torch.Generator().manual_seed(0)
    attributions = [torch.randn(shape, generator=generator) for shape in [(4,), (1, 8), (3, 5), (2, 3, 4)]]
    code = """
import torch
from ts.torch_handler.text_classifier import TextClassifier
summarize = TextClassifier().summarize_attributions
answer([summarize(torch.tensor(values)).tolist() for values in arguments["attributions"]])
"""
    theirs = upstream(code, attributions=[values.tolist() for values in attributions])
    for values, expected in zip(attributions, theirs):
        torch.testing.assert_close(handler.summarize_attributions(values), torch.tensor(expected))


@pytest.mark.parametrize("name", ["source_vocab.pt", "tokens.txt"])
def test_the_vocabulary_is_the_file_that_the_manifest_names(name, handler, make_context, tmp_path):
    (tmp_path / name).write_text("<unk>\nrain\n")
    context = make_context(sourceVocab=name)
    handler.initialize(context)
    assert handler.get_source_vocab_path(context) == str(tmp_path / name)
    assert handler.source_vocab["rain"] == 1
    assert handler.initialized


def test_source_vocab_pt_is_found_where_the_manifest_names_none(handler, make_context, tmp_path):
    (tmp_path / "source_vocab.pt").write_text("rain\n")
    assert handler.get_source_vocab_path(make_context()) == str(tmp_path / "source_vocab.pt")


def test_an_archive_without_a_vocabulary_does_not_load(handler, make_context):
    with pytest.raises(FileNotFoundError, match=r"The archive has no source_vocab\.pt"):
        handler.initialize(make_context())


def test_a_subclass_that_calls_neither_init_nor_initialize_can_clean_texts():
    class Bare(TextHandler):
        def __init__(self):
            self.initialized = True

    assert cleaned_words(Bare(), "Don't!") == ["do", "not"]


@pytest.mark.parametrize(
    "text",
    [
        "a <b> c</b> d <e",
        "a < b > c < d\n<e\nf> &amp; g <h &lt; i",
        "<<<a>>> &#39; <",
        "x > y &amp;amp; < z\n\n<br/>",
    ],
)
def test_tags_are_removed_as_by_the_expression_alone(text: str) -> None:
    assert TextClassifier()._remove_html_tags(text) == CLEANUP_REGEX.sub("", text)


def test_a_megabyte_of_opening_brackets_is_cleaned() -> None:
    """By the expression alone it would take hours."""
    text = "<" * 1_000_000
    assert TextClassifier()._remove_html_tags(text) == text
