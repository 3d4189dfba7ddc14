"""How near captions come to those that people wrote: BLEU, ROUGE, CIDEr, in any script.

Words are those of `words.tokens.words_of`, for all metrics; they are not stemmed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.words.captions import LONGEST, sequences
from imgbatch.words.tokens import needed, words_of

METRICS = (
    *(f"bleu_{order}" for order in range(1, LONGEST + 1)),
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "cider",
)
_SIGMA = 6.0
"""How many words shorter or longer a caption may be, roughly, before CIDEr falls."""
_SCALE = 10.0
_ROUGE = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}

Numbers = npt.NDArray[np.float64]


class WordTokenizer:
    """What rouge-score takes for a tokenizer; its own knows Latin letters only."""

    def tokenize(self, text: str) -> list[str]:
        """The words of a text in any script."""
        return words_of(text)


@dataclass(frozen=True)
class CaptionScores:
    """What is known of each caption, from which the figures of any of them follow.

    Attributes
    ----------
    matches, totals
        (u, 4) sequences of one to four words that stand in a reference, and all of them.
    lengths
        (u, 2) words of the caption, and of the reference nearest in length.
    means
        (u,) of each metric that is a mean over captions, by name.
    """

    matches: Numbers
    totals: Numbers
    lengths: Numbers
    means: dict[str, Numbers]

    def figures(self, rows: npt.NDArray[np.int64] | None = None) -> dict[str, float]:
        """All metrics of some captions, by name; of all for None."""
        chosen: slice | npt.NDArray[np.int64] = slice(None) if rows is None else rows
        sums = (part[chosen].sum(0) for part in (self.matches, self.totals, self.lengths))
        figures = _bleu(*sums)
        return figures | {name: float(values[chosen].mean()) for name, values in self.means.items()}


def score_captions(captions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
    """Compare captions with what people wrote of the same images.

    Parameters
    ----------
    captions
        One for each image.
    references
        One or more texts for each.

    Returns
    -------
    scores
        BLEU (Papineni et al. 2002) by sacrebleu, of the whole corpus and without smoothing; ROUGE
        F-measures (Lin 2004) by rouge-score, averaged over the references; CIDEr-D (Vedantam et al.
        2015), whose rarities are those of the references.

    Examples
    --------
    >>> scores = score_captions(["Две собаки бегут по снегу"], [["Две собаки бегут по снегу"]])
    >>> figures = scores.figures()
    >>> figures["rouge_2"], round(figures["bleu_4"], 6)
    (1.0, 1.0)
    """
    # Only the counts of a caption are taken; without effective_order each would log a warning.
    bleu = needed("sacrebleu").BLEU(tokenize="none", smooth_method="none", effective_order=True)
    scorer = needed("rouge_score.rouge_scorer").RougeScorer([*_ROUGE], tokenizer=WordTokenizer())
    matches, totals, lengths = [], [], []
    rouge: dict[str, list[float]] = {name: [] for name in _ROUGE.values()}
    for caption, texts in zip(captions, references, strict=True):
        plain = [" ".join(words_of(text)) for text in texts]
        counted = bleu.sentence_score(" ".join(words_of(caption)), plain)
        matches.append(counted.counts)
        totals.append(counted.totals)
        lengths.append((counted.sys_len, counted.ref_len))
        scores = [scorer.score(text, caption) for text in texts]
        for theirs, ours in _ROUGE.items():
            rouge[ours].append(float(np.mean([score[theirs].fmeasure for score in scores])))
    return CaptionScores(
        np.asarray(matches, np.float64),
        np.asarray(totals, np.float64),
        np.asarray(lengths, np.float64),
        {name: np.asarray(values) for name, values in rouge.items()}
        | {"cider": cider(captions, references)},
    )


def _bleu(matches: Numbers, totals: Numbers, lengths: Numbers) -> dict[str, float]:
    compute = needed("sacrebleu").BLEU.compute_bleu
    return {
        f"bleu_{order}": compute(
            matches[:order].tolist(),
            totals[:order].tolist(),
            int(lengths[0]),
            int(lengths[1]),
            smooth_method="none",
            max_ngram_order=order,
        ).score
        / 100
        for order in range(1, LONGEST + 1)
    }


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Numbers:
    """CIDEr-D of each caption: (u,), 0..10.

    The mean, over one to four words and over the references, of the cosine of sequences weighted by
    their rarity; a sequence counts no more often than in the reference, and another length lowers
    the value. Source: Vedantam et al. 2015, as its authors' program computes it, but unstemmed.

    Examples
    --------
    >>> texts = [["a black dog runs fast"], ["two men sit there now"]]
    >>> cider(["a black dog runs fast", "a black dog runs fast"], texts).round(3).tolist()
    [10.0, 0.0]
    """
    held: Counter[tuple[str, ...]] = Counter()
    counted = [[sequences(words_of(text)) for text in texts] for texts in references]
    for texts in counted:
        held.update({sequence for text in texts for sequence in text})
    logs = np.log(max(len(references), 1))

    def weighted(counts: Counter[tuple[str, ...]]) -> dict[tuple[str, ...], float]:
        return {
            sequence: count * (logs - np.log(max(held[sequence], 1)))
            for sequence, count in counts.items()
        }

    values = np.zeros(len(captions))
    for number, (caption, texts) in enumerate(zip(captions, counted, strict=True)):
        counts = sequences(words_of(caption))
        own = weighted(counts)
        likeness = [
            _likeness(own, weighted(text))
            * np.exp(-((_length(counts) - _length(text)) ** 2) / (2 * _SIGMA**2))
            for text in texts
        ]
        values[number] = _SCALE * float(np.mean(likeness))
    return values


def _length(counts: Counter[tuple[str, ...]]) -> int:
    return sum(count for sequence, count in counts.items() if len(sequence) == 1)


def _likeness(own: dict[tuple[str, ...], float], other: dict[tuple[str, ...], float]) -> float:
    """The mean cosine over one to four words; a sequence counts as often as in both."""
    products, squares, other_squares = (np.zeros(LONGEST) for _ in range(3))
    for sequence, value in own.items():
        products[len(sequence) - 1] += min(value, other.get(sequence, 0.0)) * other.get(sequence, 0)
        squares[len(sequence) - 1] += value**2
    for sequence, value in other.items():
        other_squares[len(sequence) - 1] += value**2
    lengths = np.sqrt(squares * other_squares)
    return float(np.divide(products, lengths, out=np.zeros(LONGEST), where=lengths > 0).mean())
