"""How many processor cores this process may use."""

from functools import cache


@cache
def usable_cores() -> int:
    """Cores this process may use, at least 1; asked once.

    Affinity and a container's CPU limit count, which `os.cpu_count` overlooks. The answer is
    loky's, whose import takes 50 ms: ask only for work that is worth several cores.

    >>> usable_cores() >= 1
    True
    """
    from loky import cpu_count

    return int(cpu_count())
