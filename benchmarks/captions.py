"""How near suggested captions come to those that people wrote, beside simpler ways.

    python benchmarks/captions.py FOLDER [--index DIR] [--sheet FILE.png]   # with captions.csv

FOLDER holds photographs with several captions each, as Flickr8k. A random fifth of the images is
captioned from the others, in three splits; points are those of ``extended``. ``one human`` compares
a caption that somebody wrote with the others of the same image. ``--sheet`` draws 30 of the
captioned images, drawn at random, to be read beside their pictures.
"""

import argparse
from pathlib import Path

import numpy as np

import imgbatch
from imgbatch.evaluation.caption_metrics import METRICS, score_captions
from imgbatch.evaluation.words import LearnedWords
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import Cell, Grid, draw_page, save_page

SPLITS = (1, 2, 3)
HIDDEN = 0.2
READ = 30
DRAWS = 200


def ways(texts, points, seed):
    """Captions of each way for one split, with the references."""
    order = np.random.default_rng(seed).permutation(len(texts))
    border = round(len(texts) * HIDDEN)
    hidden, learned = np.sort(order[:border]), np.sort(order[border:])
    known = [texts[row] for row in learned]
    words = LearnedWords.of(known, points[learned])
    single = LearnedWords.of([text[:1] for text in known], points[learned])
    random = np.random.default_rng(seed)
    return hidden, {
        "random": words.random_captions(len(hidden), random),
        "most central": [words.central_caption()] * len(hidden),
        "nearest image's": words.nearest_captions(points[hidden]),
        "consensus": words.captions(points[hidden]),
        "consensus, one caption each": single.captions(points[hidden]),
    }


def interval(parts, metric):
    """The mean over splits of a metric, and the interval over images of each split."""
    random = np.random.default_rng(0)
    value = np.mean([part.figures()[metric] for part in parts])
    drawn = [
        np.mean(
            [
                part.figures(random.integers(len(part.lengths), size=len(part.lengths)))[metric]
                for part in parts
            ]
        )
        for _ in range(DRAWS)
    ]
    return value, *np.quantile(drawn, [0.025, 0.975])


def show(name, parts):
    print(f"{name:28}", end="")
    for metric in METRICS:
        print(f" {np.mean([part.figures()[metric] for part in parts]):7.3f}", end="")
    for metric in ("bleu_4", "cider"):
        _, low, high = interval(parts, metric)
        print(f"  {metric} {low:.3f} to {high:.3f}", end="")
    print(flush=True)


def draw(rows, captions, photos, target):
    chosen = np.sort(np.random.default_rng(30).choice(len(rows), READ, replace=False))
    grid = Grid.fitting(READ, photos.config.sheet, target)
    cells = (
        Cell(load_picture(photos.paths[rows[place]], photos.config, 240), captions[place])
        for place in chosen
    )
    save_page(draw_page(cells, "captions by consensus", grid), target)
    for number, place in enumerate(chosen, 1):
        print(f"{number:2} {photos.records[int(rows[place])].path}: {captions[place]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--index")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    photos = imgbatch.load(options.folder, emphasis="extended", index=options.index)
    points, texts = np.asarray(photos.points), list(photos.texts)
    scores, humans = {}, []
    for seed in SPLITS:
        rows, captions = ways(texts, points, seed)
        references = [texts[row] for row in rows]
        for name, of_way in captions.items():
            scores.setdefault(name, []).append(score_captions(of_way, references))
        several = [text for text in references if len(text) > 1]
        first, others = [text[0] for text in several], [text[1:] for text in several]
        humans.append(score_captions(first, others))
    print(f"{len(texts):,} images; {len(rows):,} captioned in each of {len(SPLITS)} splits")
    print(f"{'':28} {' '.join(f'{metric:>7}' for metric in METRICS)}")
    for name, parts in (scores | {"one human, other references": humans}).items():
        show(name, parts)
    found = captions["consensus"]
    print(f"different captions in the last split: {len(set(found))} of {len(found)}")
    if options.sheet:
        draw(rows, found, photos, options.sheet)


if __name__ == "__main__":
    main()
