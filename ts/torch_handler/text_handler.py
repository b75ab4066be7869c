"""TextHandler: what the handlers for texts share."""

from __future__ import annotations

import re
import string
import unicodedata
from abc import ABC
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.explaining.captum import import_captum
from ts.handler_utils.models.cpu_threads import compute_bags_alone
from ts.handler_utils.text.encoding import load_vocabulary
from ts.handler_utils.text_utils import get_tokenizer
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.contractions import CONTRACTION_MAP
from ts.utils.util import CLEANUP_REGEX, deprecated

# ASCII: the case of other letters does not fold into the contractions' own.
CONTRACTIONS_PATTERN = re.compile("|".join(map(re.escape, CONTRACTION_MAP)), re.IGNORECASE | re.ASCII)

_ENTITY = re.compile(CLEANUP_REGEX.pattern.partition("|")[2])

# Characters. To put a run of combining marks in order takes quadratic time; the ASCII parts of a text, which no
# mark is, are those of its pieces.
_NORMALIZED_AT_ONCE = 256

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TextHandler(BaseHandler, ABC):
    """Cleans texts, splits them into words, and reads the vocabulary of an archive.

    Attributes:
        source_vocab: the index of each token: `source_vocab[token]`.
        tokenizer: splits a cleaned text into words.
        input_text: for subclasses; nothing here reads it.
    """

    source_vocab: Any = None
    tokenizer: Any = staticmethod(get_tokenizer("basic_english"))
    input_text: Any = None

    def initialize(self, context: Any) -> None:
        """Loads a model with its labels, settings and vocabulary; see `BaseHandler.initialize`."""
        super().initialize(context)
        load_vocabulary(self, context)
        if self.source_vocab is not None and self.map_location == "cpu":
            compute_bags_alone(self.model)

    def get_source_vocab_path(self, ctx: Any) -> str:
        """The file of the archive that holds the vocabulary: `sourceVocab` of the manifest, else source_vocab.pt.

        Raises:
            FileNotFoundError: the archive has neither.
        """
        named = (ctx.manifest or {}).get("model", {}).get("sourceVocab")
        names = [name for name in (named, "source_vocab.pt") if name]
        for path in (Path(ctx.system_properties["model_dir"], name) for name in names):
            if path.is_file():
                return str(path)
        raise FileNotFoundError(
            f"The archive has no {' or '.join(dict.fromkeys(names))}, the vocabulary of its model:"
            " give torch-model-archiver the file with --extra-files"
        )

    # Cleaning ------------------------------------------------------------------------------------------------

    def _remove_html_tags(self, text: str) -> str:
        """Removes HTML tags, and character entities such as `&amp;`."""
        return "\n".join(_clean_line(line) for line in text.split("\n"))

    def _expand_contractions(self, text: str) -> str:
        """Writes contractions out ("don't": "do not"), and removes the other apostrophes."""
        if "'" not in text:
            return text
        return " ".join(_expand_word(word) if "'" in word else word for word in text.split(" "))

    def _remove_accented_characters(self, text: str) -> str:
        """Replaces letters by the ASCII ones that they are made of; a character without any is dropped."""
        if text.isascii():
            return text
        return "".join(
            unicodedata.normalize("NFKD", text[start : start + _NORMALIZED_AT_ONCE])
            .encode("ascii", "ignore")
            .decode("ascii")
            for start in range(0, len(text), _NORMALIZED_AT_ONCE)
        )

    def _remove_punctuation(self, text: str) -> str:
        """Removes the punctuation marks of ASCII."""
        return text.translate(_NO_PUNCTUATION)

    @deprecated(version="0.3.0", replacement="_remove_punctuation")
    def _remove_puncutation(self, *args: Any, **kwargs: Any) -> str:
        return self._remove_punctuation(*args, **kwargs)

    def _tokenize(self, text: str) -> list[str]:
        """Splits a cleaned text into words, by `tokenizer`."""
        return self.tokenizer(text)

    # For explanations ----------------------------------------------------------------------------------------

    def get_word_token(self, input_tokens: Iterable[str]) -> list[str]:
        """Subwords without the mark "Ġ" by which byte-level tokenizers show a space."""
        return [token.replace("Ġ", "") for token in input_tokens]

    def summarize_attributions(self, attributions: torch.Tensor) -> torch.Tensor:
        """Attributions as torchserve's text handlers scale them, for subclasses.

        Args:
            attributions: [D], [T, D] or [N, T, D].

        Returns:
            A tensor of that shape: their softmax, over D (of three dimensions, over N), divided by the Euclidean
            norm of its sums over D.
        """
        weights = torch.softmax(attributions, dim=0 if attributions.dim() in (0, 1, 3) else 1)
        return weights / torch.norm(weights.sum(dim=-1))

    @cached_property
    def lig(self) -> Any:
        """captum's `LayerIntegratedGradients` of the model's layer `embedding`, for subclasses."""
        return import_captum().LayerIntegratedGradients(self.model, self.model.embedding)


def _clean_line(line: str) -> str:
    # A tag ends on its line. To search what follows the last ">" for tags would take quadratic time.
    tags, end, rest = line.rpartition(">")
    return CLEANUP_REGEX.sub("", tags + end) + _ENTITY.sub("", rest)


def _expand_word(word: str) -> str:
    return CONTRACTIONS_PATTERN.sub(_write_out, word).replace("'", "")


def _write_out(contraction: re.Match[str]) -> str:
    # torchserve keeps the first letter as it came, and the vocabularies of its models know "ain't" as "as not".
    found = contraction[0]
    return found[0] + CONTRACTION_MAP[found.lower()][1:]
