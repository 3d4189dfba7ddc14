"""What a neural tool pays: a ViT-B/32 image encoder with random weights, on the CPU.

    python benchmarks/vit.py FOLDER COUNT        prints {"images", "seconds"}

Needs torch, pillow and numpy only. Timed: reading, decoding, resizing and encoding, in batches of
32, with two threads; not timed: imports and making the weights. Weights do not change the time.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

SIDE, PATCH, WIDTH, LAYERS, HEADS, BATCH = 224, 32, 768, 12, 12, 32
MEAN, DEVIATION = 0.45, 0.27


class Encoder(nn.Module):
    """Patch embedding, 12 pre-norm transformer layers of width 768 with 12 heads; first token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.first = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.places = nn.Parameter(torch.randn(1, 1 + (SIDE // PATCH) ** 2, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, 3, 224, 224) -> (n, 768)."""
        tokens = self.patches(pictures).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(len(tokens), -1, -1), tokens], dim=1)
        return self.norm(self.layers(tokens + self.places)[:, 0])


def load(path: Path) -> np.ndarray:
    picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (np.asarray(picture, np.float32) / 255 - MEAN) / DEVIATION


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(2)
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    paths = paths[:: max(1, len(paths) // count)][:count]
    model = Encoder().eval()
    with torch.inference_mode():
        model(torch.zeros(BATCH, 3, SIDE, SIDE))  # the first call also sets up its threads
        started = time.perf_counter()
        for at in range(0, len(paths), BATCH):
            pictures = np.stack([load(path) for path in paths[at : at + BATCH]])
            model(torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous())
        seconds = time.perf_counter() - started
    print(json.dumps({"images": len(paths), "seconds": seconds}))


if __name__ == "__main__":
    main()
