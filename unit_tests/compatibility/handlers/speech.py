"""Only `initialize` and `handle`, in a class of its own."""

import io
import wave

import torch


class SpeechHandler:
    def __init__(self):
        self._context = None
        self.initialized = False
        self.model = None
        self.rate = 16_000

    def initialize(self, context):
        self._context = context
        self.manifest = context.manifest
        self.device = torch.device("cpu")
        self.initialized = True

    def handle(self, data, context):
        content = data[0].get("data")
        if content is None:
            content = data[0].get("body")
        with wave.open(io.BytesIO(content)) as sound:
            samples = torch.frombuffer(bytearray(sound.readframes(sound.getnframes())), dtype=torch.int16)
        return [f"{len(samples) / self.rate:.3f} seconds, loudest {int(samples.max())}"]


def tone(length):
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        samples = (1000 * torch.sin(torch.arange(length) / 10)).to(torch.int16)
        sound.writeframes(samples.numpy().tobytes())
    return content.getvalue()


CASES = {"speech": {"batches": [[{"data": tone(1600)}], [{"body": tone(800)}]]}}
