"""Decoding through Pillow leaves the process as it was."""

import contextlib
import io
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.images import quiet
from imgbatch.images.decode import decode
from imgbatch.images.pillow import decode_with_pillow
from imgbatch.types import DecodeOptions
from tests.drawing import encode, gif_claiming, photo
from tests.locks import WatchedLock

GIF = encode(photo(1, 60, 40), "GIF")
SECONDS = 30  # to fail rather than hang


def test_the_limit_of_pillow_is_lifted_for_the_decoding_only(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode_with_pillow(GIF, 128, DecodeOptions()).width == 60
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(UnreadableImage):
        decode_with_pillow(gif_claiming(60_000, 60_000), 128, DecodeOptions())
    assert Image.MAX_IMAGE_PIXELS == 100


def test_two_threads_at_once_leave_the_limit_of_pillow_and_the_warnings_as_they_were(monkeypatch):
    lock = WatchedLock()
    first_is_inside, first_is_done = threading.Event(), threading.Event()
    opening, before = Image.open, (Image.MAX_IMAGE_PIXELS, list(warnings.filters))

    def open_in_turn(*args, **kwargs):
        """The first thread leaves after the second came; the second leaves after the first."""
        if not first_is_inside.is_set():
            first_is_inside.set()
            assert lock.contended.wait(SECONDS)
        else:
            lock.contended.set()  # without a lock, the second thread comes this far meanwhile
            assert first_is_done.wait(SECONDS)
        return opening(*args, **kwargs)

    monkeypatch.setattr(quiet, "_pillow", lock)
    monkeypatch.setattr(Image, "open", open_in_turn)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(decode_with_pillow, GIF, 128, DecodeOptions())
        first.add_done_callback(lambda _: first_is_done.set())
        assert first_is_inside.wait(SECONDS)
        second = pool.submit(decode_with_pillow, GIF, 128, DecodeOptions())
        assert (first.result().view == second.result().view).all()
    assert before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))


def animated(mode: str, *, default_image: bool) -> tuple[bytes, list[np.ndarray]]:
    random = np.random.default_rng(5)
    shape = (40, 60, 3) if mode == "RGB" else (40, 60)
    pixels = [random.integers(0, 255, shape, np.uint8) for _ in range(3)]
    frames = [Image.fromarray(frame) for frame in pixels]
    file = io.BytesIO()
    frames[0].save(
        file, "PNG", save_all=True, append_images=frames[1:], default_image=default_image
    )
    return file.getvalue(), pixels


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("default_image", [False, True])
def test_an_animated_png_shows_the_first_frame_of_its_animation(mode, default_image):
    data, frames = animated(mode, default_image=default_image)
    shown = frames[1] if default_image else frames[0]
    expected = shown if mode == "RGB" else np.repeat(shown[..., None], 3, axis=2)
    assert np.array_equal(decode(data, DecodeOptions()).view, expected)


def test_a_damaged_animated_png_has_the_same_view_each_time_or_none():
    data, _ = animated("RGB", default_image=False)
    at = data.index(b"IDAT") + 60
    for position in range(at, at + 400, 7):
        damaged = data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :]
        views = set()
        for _ in range(3):
            with contextlib.suppress(UnreadableImage):
                views.add(decode(damaged, DecodeOptions()).view.tobytes())
        assert len(views) <= 1
