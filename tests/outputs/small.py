"""Small results for tests of what shows them."""

from imgbatch.overview.results import (
    Classes,
    Count,
    Cover,
    Group,
    Grouping,
    NamedImage,
    Overview,
    Problem,
    Repetition,
    Spread,
)


def small_overview(name: str, folder: str = "/photos", files: tuple[str, ...] = ()) -> Overview:
    """An overview in which everything has this name, of some files."""
    files = files or (f"/{name}",)
    counts = (Count(name, 3, 0.75), Count(f"other {name}", 1, 0.25))
    images = tuple(NamedImage(file, name, f"3 x 4 pixels of {name}") for file in files)
    group = Group(4, 1.0, images, images[:1], counts, counts)
    spread = Spread(1, 2, 3, 4, 5)
    return Overview(
        folder, 4, 1, 5000, 4, 0, counts,
        dict.fromkeys(("width", "height", "megapixels", "bytes", "aspect"), spread), counts,
        Classes(counts, 1, 0.8), counts, Grouping((group,), 0.1, ((6, 0.1),)),
        Repetition("edited", 1, 1, counts, 0.7, (Cover(0.5, 3, 0.75, 0.5),)),
        (Problem(name, name, len(files), 4, images),), ((name, name),), 0.5, (name,),
    )  # fmt: skip
