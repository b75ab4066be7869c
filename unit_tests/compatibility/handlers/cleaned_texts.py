"""A TextHandler of its own: cleans, splits and looks words up by the base's methods, for batches."""

import torch
import torch.nn.functional as F

from ts.handler_utils.text_utils import ngrams_iterator
from ts.torch_handler.text_handler import TextHandler
from ts.utils.util import map_class_to_label


class NewsHandler(TextHandler):
    ngrams = 1

    def preprocess(self, data):
        indexes, offsets, self.input_text = [], [], []
        for row in data:
            text = row.get("data") or row.get("body")
            if isinstance(text, (bytes, bytearray)):
                text = text.decode("utf-8")
            text = self._remove_html_tags(text)
            text = text.lower()
            text = self._expand_contractions(text)
            text = self._remove_accented_characters(text)
            text = self._remove_puncutation(text)
            words = self._tokenize(text)
            self.input_text.append(words)
            offsets.append(len(indexes))
            tokens = ngrams_iterator(words, self.ngrams)
            indexes += [self.source_vocab[token] for token in tokens if token in self.source_vocab]
        return torch.tensor(indexes, device=self.device), torch.tensor(offsets, device=self.device)

    def inference(self, data, *args, **kwargs):
        indexes, offsets = data
        return super().inference(indexes, offsets)

    def postprocess(self, data):
        named = map_class_to_label(F.softmax(data, dim=1).tolist(), self.mapping)
        return [
            {**scores, "words": self.get_word_token(words)} for scores, words in zip(named, self.input_text)
        ]


WORDS = ["the", "a", "do", "not", "cat", "is", "cafe", "good", "news", "i", "am", "here"]
VOCABULARY = {word: index for index, word in enumerate(WORDS)}
LABELS = {"0": "World", "1": "Sports", "2": "Science"}
TEXTS = [b"<b>The cat</b> is good &amp; I don't know", "Caf\u00e9 news! I'm here".encode(), b"a cat"]

CASES = {
    "cleaned texts": {
        "model": "bag",
        "files": {"index_to_name.json": LABELS, "source_vocab.pt": VOCABULARY},
        "batches": [[{"data": TEXTS[0]}], [{"body": text} for text in TEXTS], [{"data": "the cat"}]],
    }
}
