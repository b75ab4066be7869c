"""Uses the tools that the base of text handlers has for explanations."""

import torch

from ts.torch_handler.text_handler import TextHandler


class TextTools(TextHandler):
    def preprocess(self, data):
        return [row["body"] for row in data]

    def inference(self, data):
        return data

    def postprocess(self, data):
        answers = []
        for row in data:
            values = torch.tensor(row["values"])
            answers.append(
                {
                    "summary": self.summarize_attributions(values).tolist(),
                    "tokens": self.get_word_token(["\u0120the", "cat", "\u0120\u0120is"]),
                    "accents": self._remove_accented_characters("Caf\u00e9 \u00fcber \u4f60 \u00bd"),
                    "tags": self._remove_html_tags("<b>bold</b> a < b &amp; c &#39; d > e"),
                    "contractions": self._expand_contractions(
                        "Can't they've I'M o'clock 'cause rock'n'roll y'all'd"
                    ),
                    "punctuation": self._remove_punctuation("a,b.c!d_e-f"),
                    "words": self._tokenize('Hello, (World)! It\'s; fine: <br /> "quoted" a.b'),
                }
            )
        return answers


CASES = {
    "text tools": {
        "model": "bag",
        "files": {"source_vocab.pt": {"the": 0}},
        "batches": [
            [{"body": {"values": [0.1, 0.5, -0.2]}}],
            [{"body": {"values": [[0.1, 0.2], [1.0, -1.0]]}}],
        ],
    }
}
