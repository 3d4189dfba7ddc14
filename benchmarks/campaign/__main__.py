"""A hostile campaign on the finished product, to run before a release; minutes to hours.

    python benchmarks/campaign [--parts images cache ...] [--seed N] [--scale 1.0] [--jobs N]
                               [--cases N ...] [--keep DIR] [--markdown FILE] [--self-check]

Each part tries cases: files that were mutated, commands that are killed or interrupted, caches that
were corrupted, and the like. Shown are, for each part, the cases tried, survived and failed and the
largest resident memory of any process at work; then every kind of failure, with its smallest case
and how to repeat it. The exit code is 1 if anything failed. ``--scale 0.1`` tries a tenth of the
cases. A case depends on the seed, the part and its number alone, but for moments: when a signal
reaches a process depends on the machine, too. ``--self-check`` plants a fault for every part and
tells whether the part notices. Tested is the imgbatch that lies beside this folder.
Needs Linux, and what ``imgbatch[cluster]`` installs.
"""

import sys
from pathlib import Path

# In place of this folder, whose files share their names with other modules.
sys.path[0:1] = [str(Path(__file__).resolve().parents[level]) for level in (1, 2)]

if __name__ == "__main__":
    from campaign.main import main

    sys.exit(main(__doc__))
