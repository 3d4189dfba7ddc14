"""Training batches that each look like the whole: dealing them, measuring them, plan files.

`Population` (what is dealt) and `DealOptions` (how) go to `deal_epoch`, which cuts a population in
parts into chunks and gives each chunk to `deal_batches`. That rounds the points (`points`), deals
them into batches (`assignment`), improves the batches (`swaps`) and parts near-duplicates
(`separate`). `tally` measures batches; `plans`, `plan_formats` and `plan_files` keep them in files.
"""
