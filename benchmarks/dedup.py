"""imagededup's PHash encoding of a folder, with two workers; run by an interpreter that has it.

    python benchmarks/dedup.py FOLDER            prints {"images", "seconds"}

Only `encode_images` is timed, not the import, which pulls in torch. Where torchvision is missing,
empty modules stand in for it: only imagededup's neural methods use it, hashing does not.
"""

import importlib.util
import json
import sys
import time
import types
from unittest.mock import MagicMock

WORKERS = 2


def stand_in(name: str) -> None:
    module = types.ModuleType(name)
    module.__path__ = []
    module.__getattr__ = lambda _name: MagicMock()
    sys.modules[name] = module


def main() -> None:
    if importlib.util.find_spec("torchvision") is None:
        for name in ("", ".models", ".transforms", ".transforms.transforms"):
            stand_in(f"torchvision{name}")
        stand_in("torchvision.models.vision_transformer")
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    started = time.perf_counter()
    found = hasher.encode_images(image_dir=sys.argv[1], recursive=True, num_enc_workers=WORKERS)
    print(json.dumps({"images": len(found), "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
