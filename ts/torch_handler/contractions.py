"""English contractions, as the text handlers write them out."""

from __future__ import annotations

# Stems by what they are contracted with: "n't": "are" stands for "aren't", "are not".
_STEMS = {
    "n't": "are could did does do had has have is may might must need ought should was were would",
    "'ve": "could i might must should so they to we what when where who why will would you",
    "'ll": "he how i it she they we what who you",
    "'s": "he how it she that there what when where who why",
    "'re": "they we what you",
    "'d": "he i it she that there they we you",
    "'m": "i",
}
_ENDINGS = {"n't": "not", "'ve": "have", "'ll": "will", "'s": "is", "'re": "are", "'d": "would", "'m": "am"}
_IRREGULAR = {
    "ain't": "is not",
    "can't": "cannot",
    "'cause": "because",
    "how'd": "how did",
    "let's": "let us",
    "ma'am": "madam",
    "o'clock": "of the clock",
    "shan't": "shall not",
    "sha'n't": "shall not",
    "so's": "so as",
    "where'd": "where did",
    "won't": "will not",
    "y'all": "you all",
}

# What each contraction, in lower case, stands for. These are the ones that torchserve expands: of a longer one,
# such as "can't've", it reads the shorter one that it begins with, so "cannot" is followed by a "'ve".
CONTRACTION_MAP = {
    **{
        f"{stem}{ending}": f"{stem} {_ENDINGS[ending]}"
        for ending, stems in _STEMS.items()
        for stem in stems.split()
    },
    **_IRREGULAR,
}
