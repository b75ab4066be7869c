"""Reads what the base of text handlers has set up."""

from ts.torch_handler.text_handler import TextHandler


class TextAttributes(TextHandler):
    def __init__(self):
        super().__init__()
        self.before = [self.source_vocab, self.input_text, bool(self.initialized)]

    def initialize(self, context):
        super().initialize(context)
        self.path = self.get_source_vocab_path(context).rpartition("/")[2]

    def preprocess(self, data):
        return [row["body"].decode() for row in data]

    def inference(self, texts):
        self.input_text = texts
        return [[self.source_vocab.get(word) for word in self.tokenizer(text)] for text in texts]

    def postprocess(self, data):
        return [
            {
                "before": self.before,
                "path": self.path,
                "indexes": row,
                "contains": "cat" in self.source_vocab,
                "size": len(self.source_vocab),
                "lig": type(self.lig).__name__,
                "layer": type(self.lig.layer).__name__,
                "punctuation": self._remove_puncutation(text),
                "contractions": self._expand_contractions(text),
            }
            for row, text in zip(data, self.input_text)
        ]


CASES = {
    "text attributes": {
        "model": "bag",
        "files": {"source_vocab.pt": {"the": 0, "cat": 1, "is": 2}},
        "batches": [[{"body": b"The cat's here; isn't it?"}], [{"body": b"cat"}, {"body": b"I've a dog"}]],
    }
}
