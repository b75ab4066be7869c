"""Metrics of its own, of every kind that the context offers."""

from samples import picture
from torchvision import transforms
from ts.metrics.dimension import Dimension
from ts.metrics.metric_type_enum import MetricTypes

from ts.torch_handler.image_classifier import ImageClassifier


class MeasuredDigits(ImageClassifier):
    image_processing = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])

    def initialize(self, context):
        super().initialize(context)
        context.metrics.add_metric_to_cache(
            metric_name="HandlerSeconds",
            unit="s",
            dimension_names=["Stage"],
            metric_type=MetricTypes.HISTOGRAM,
        )
        context.metrics.add_counter("Loads", 1, None)

    def preprocess(self, data):
        metrics = self.context.metrics
        for index, row in enumerate(data):
            content = row.get("body")
            metrics.add_size("SizeOfImage", len(content) / 1024, index, "kB")
        metrics.add_counter("Requests", len(data), None, [Dimension("Level", "Host")])
        metrics.add_percent("Full", 100 * len(data) / 8)
        metrics.add_time("Reading", 1.25, None, "ms", [Dimension("Stage", "preprocess")])
        metrics.get_metric("HandlerSeconds", MetricTypes.HISTOGRAM).add_or_update(0.5, ["preprocess"])
        return ImageClassifier.preprocess(self, data)

    def postprocess(self, data):
        self.context.metrics.add_metric("Sure", 7, "count", metric_type=MetricTypes.GAUGE)
        return data.argmax(1).flatten().tolist()


def digit(seed):
    return {"body": picture(seed, size=(28, 28), mode="L")}


CASES = {"custom metrics": {"model": "digits", "batches": [[digit(0)], [digit(1), digit(2), digit(3)]]}}
