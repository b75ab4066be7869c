"""Saved model folders as Hugging Face's transformers writes them: tiny networks with random, seeded weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

Maker = Callable[[], tuple[Any, Any]]  # a model, and what prepares its inputs

# By how much weights are multiplied; of transformers by 12.
SCALES = {"convnext": 4, "resnet": 1.5, "segformer": 4, "rt_detr": 2}

LABELS = ("cat", "dog", "news", "rain", "sun")
WORDS = ("the", "rain", "in", "spain", "sun", "is", "good", "bad", "a", "cat", "dog", "##s", "##y", "##ing")


def save_folder(name: str, folder: Path) -> Path:
    """Saves one of `MAKERS` into a folder of its name, by `save_pretrained`, and returns that folder.

    The weights are larger than networks begin with, so that answers differ from input to input, and box from box.
    """
    import torch

    torch.manual_seed(len(name))
    model, processor = MAKERS[name]()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.mul_(SCALES.get(name, 12)) if weights.any() else weights.normal_()
    model.eval().save_pretrained(folder / name)
    if processor is not None:
        processor.save_pretrained(folder / name)
    return folder / name


def named(count: int = 3) -> dict[str, Any]:
    """The labels of a config: `id2label` and `label2id`."""
    labels = LABELS[:count]
    return {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}


# Texts -------------------------------------------------------------------------------------------------------


def wordpiece_tokenizer(kind: str = "BertTokenizerFast", **options: Any) -> Any:
    """BERT's: lower case, [CLS] and [SEP], pairs."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    letters = [chr(code) for code in range(97, 123)]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *letters, *(f"##{letter}" for letter in letters), *WORDS]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return getattr(transformers, kind)(tokenizer_object=tokenizer, model_max_length=24, **options)


def byte_level_tokenizer(**options: Any) -> Any:
    """RoBERTa's: byte-level BPE, <s> and </s>, pairs without type indexes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import RobertaTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return RobertaTokenizerFast(tokenizer_object=tokenizer, model_max_length=20, **options)


SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 37,
    "max_position_embeddings": 40,
}


def bert(**options: Any) -> tuple[Any, Any]:
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = wordpiece_tokenizer()
    config = BertConfig(vocab_size=len(tokenizer), **SMALL, **{**named(), **options})
    return BertForSequenceClassification(config), tokenizer


def bert_base() -> tuple[Any, Any]:
    """Without a head, as sentence encoders are."""
    from transformers import BertConfig, BertModel

    tokenizer = wordpiece_tokenizer()
    return BertModel(BertConfig(vocab_size=len(tokenizer), **SMALL)), tokenizer


def distilbert() -> tuple[Any, Any]:
    """Its forward takes no token_type_ids."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    tokenizer = wordpiece_tokenizer("DistilBertTokenizerFast")
    sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 37, "max_position_embeddings": 40}
    config = DistilBertConfig(vocab_size=len(tokenizer), **sizes, **named())
    return DistilBertForSequenceClassification(config), tokenizer


def roberta() -> tuple[Any, Any]:
    from transformers import RobertaConfig, RobertaForSequenceClassification

    tokenizer = byte_level_tokenizer()
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        **SMALL,
        **named(),
    )
    return RobertaForSequenceClassification(config), tokenizer


def gpt2() -> tuple[Any, Any]:
    """Reads the last token that is no padding, and has past_key_values as its second argument."""
    from transformers import GPT2Config, GPT2ForSequenceClassification

    tokenizer = byte_level_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=40, n_embd=32, n_layer=2, n_head=2, pad_token_id=1, **named()
    )
    return GPT2ForSequenceClassification(config), tokenizer


# Images ------------------------------------------------------------------------------------------------------

TINY_VIT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 37,
    "image_size": 32,
    "patch_size": 8,
}


def vit(**options: Any) -> tuple[Any, Any]:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    model = ViTForImageClassification(ViTConfig(**TINY_VIT, **{**named(5), **options}))
    return model, ViTImageProcessor(size={"height": 32, "width": 32})


def vit_base() -> tuple[Any, Any]:
    from transformers import ViTConfig, ViTImageProcessor, ViTModel

    return ViTModel(ViTConfig(**TINY_VIT)), ViTImageProcessor(size={"height": 32, "width": 32})


def convnext() -> tuple[Any, Any]:
    """Resizes to size / crop_pct, and crops."""
    from transformers import ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor

    config = ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], **named(5))
    return ConvNextForImageClassification(config), ConvNextImageProcessor(size={"shortest_edge": 64})


def resnet() -> tuple[Any, Any]:
    from transformers import ConvNextImageProcessor, ResNetForImageClassification

    config = small_resnet(**named(5))
    return ResNetForImageClassification(config), ConvNextImageProcessor(
        size={"shortest_edge": 64}, crop_pct=0.875
    )


def small_resnet(**options: Any) -> Any:
    from transformers import ResNetConfig

    sizes = {"embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
    return ResNetConfig(layer_type="basic", **sizes, **options)


def segformer() -> tuple[Any, Any]:
    """Its logits are a quarter as large as its input."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

    config = SegformerConfig(
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        **named(5),
    )
    processor = SegformerImageProcessor(size={"height": 64, "width": 64})
    return SegformerForSemanticSegmentation(config), processor


def detr() -> tuple[Any, Any]:
    """Softmax with a last class for nothing; photos keep their shape, and boxes are parts of it."""
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor

    config = DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=small_resnet(out_features=["stage4"]),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=37,
        decoder_ffn_dim=37,
        num_queries=8,
        **named(5),
    )
    processor = DetrImageProcessor(size={"shortest_edge": 64, "longest_edge": 100})
    return DetrForObjectDetection(config), processor


def yolos() -> tuple[Any, Any]:
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    config = YolosConfig(**{**TINY_VIT, "image_size": [64, 96]}, num_detection_tokens=8, **named(5))
    return YolosForObjectDetection(config), YolosImageProcessor(
        size={"shortest_edge": 64, "longest_edge": 96}
    )


def rt_detr() -> tuple[Any, Any]:
    """Sigmoid, and the best of all pairs of a query and a class."""
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor, RTDetrResNetConfig

    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrConfig(
        backbone_config=backbone,
        encoder_hidden_dim=32,
        encoder_in_channels=[16, 24, 32],
        encoder_ffn_dim=37,
        encoder_attention_heads=2,
        d_model=32,
        num_queries=8,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=37,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_denoising=0,
        **named(5),
    )
    return RTDetrForObjectDetection(config), RTDetrImageProcessor(size={"height": 64, "width": 64})


MAKERS: dict[str, Maker] = {
    "vit": vit,
    "vit_multi_label": lambda: vit(problem_type="multi_label_classification"),
    "vit_base": vit_base,
    "convnext": convnext,
    "resnet": resnet,
    "segformer": segformer,
    "detr": detr,
    "yolos": yolos,
    "rt_detr": rt_detr,
    "bert": bert,
    "bert_multi_label": lambda: bert(problem_type="multi_label_classification"),
    "bert_regression": lambda: bert(problem_type="regression", **named(1)),
    "bert_single_logit": lambda: bert(**named(1)),
    "bert_base": bert_base,
    "distilbert": distilbert,
    "roberta": roberta,
    "gpt2": gpt2,
}


def save_all(folder: Path, names: Sequence[str] = tuple(MAKERS)) -> dict[str, Path]:
    """The folders of several makers, by their names."""
    return {name: save_folder(name, folder) for name in names}
