"""Texts as a saved model takes them: made into tokens by the tokenizer that its folder describes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.models.huggingface.library import import_transformers, offline
from ts.handler_utils.text.batch import EncodedText, Form, NamedBatch
from ts.handler_utils.text.subwords import SubwordTokenizer, longest_text
from ts.utils.documents import one_line

# What a batch of texts may have beside their tokens.
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")

# They read the last token of a text, and count positions from each other: all others count from the beginning.
_FILLED_UP_IN_FRONT = ("xlnet",)


class FolderTokenizer(SubwordTokenizer):
    """What transformers' own tokenizer makes of a text or a pair, as its pipelines do, cut to the model's length.

    Args:
        folder: of the saved model.
        model: the network, whose forward says which inputs it takes.
        max_length: the most tokens of a text or a pair; None leaves it to the folder: see `longest_text`.
        trust_remote_code: let the folder's own Python files make the tokenizer.

    Raises:
        ValueError: the folder describes no tokenizer.
    """

    takes_pairs = True

    def __init__(
        self,
        folder: Path,
        model: Any,
        max_length: Optional[int] = None,
        *,
        trust_remote_code: bool = False,
    ) -> None:
        transformers = import_transformers()
        try:
            with offline():
                tokenizer = transformers.AutoTokenizer.from_pretrained(
                    folder, config=model.config, local_files_only=True, trust_remote_code=trust_remote_code
                )
            special = [tokenizer.num_special_tokens_to_add(pair=pair) for pair in (False, True)]
            tokenizer("a")  # fails where parts of the folder do not go together
        except Exception as error:  # transformers' own may be of any kind
            raise ValueError(
                f"The saved model has no tokenizer that can be read: {one_line(error)}"
            ) from error
        files = set(tokenizer.vocab_files_names.values())
        if files and not any((folder / name).is_file() for name in files):  # it would know no word
            raise ValueError(
                f"The saved model has no tokenizer: its folder holds none of {', '.join(sorted(files))}"
            )
        self.max_length = max_length or longest_text(folder, {})
        if self.max_length <= max(special):
            raise ValueError(
                f"max_length is {self.max_length}, and {max(special)} tokens of a pair are special ones:"
                " raise handler.max_length in model-config.yaml"
            )
        self.form = _form_for(tokenizer, model)
        self.pad_index = self.form.pad_index
        self._split: Any = tokenizer

    def encode(self, text: str, pair: Optional[str] = None) -> EncodedText:
        """The tokens of a text or a pair, special ones included, and their indexes.

        Raises:
            InvalidInput: it has none.
        """
        found = self._split(text, pair, verbose=False)
        uncut = len(found["input_ids"])
        if not uncut:
            raise InvalidInput("The text has no tokens")
        if uncut > self.max_length:
            found = self._split(text, pair, verbose=False, truncation=True, max_length=self.max_length)
        indexes = found["input_ids"]
        return EncodedText(
            self._split.convert_ids_to_tokens(indexes),
            indexes,
            uncut if uncut > self.max_length else 0,
            found.get("token_type_ids"),
        )

    def batch(self, texts: Sequence[EncodedText], device: Any = None) -> NamedBatch:
        """A batch of texts, as the network's forward takes it."""
        return NamedBatch.of(texts, self.form, device)


def _form_for(tokenizer: Any, model: Any) -> Form:
    """How a network takes what a tokenizer gives."""
    taken = inspect.signature(model.forward).parameters
    given = (*tokenizer.model_input_names, "input_ids")
    fillings = (tokenizer.pad_token_id, tokenizer.eos_token_id)
    return Form(
        names=tuple(name for name in _INPUTS if name in given and name in taken),
        pad_index=next((index for index in fillings if index is not None), 0),
        pad_type=tokenizer.pad_token_type_id,
        at_the_end=model.config.model_type not in _FILLED_UP_IN_FRONT,
        # Then those that read the last token of a text, as GPT-2 does, cannot tell where it is.
        alone=getattr(model.config, "pad_token_id", None) is None,
    )
