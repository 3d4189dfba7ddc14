"""Ways to show results: on the terminal, as JSON, as pictures, as pages (`outputs.pages`)."""

from imgbatch.outputs.base import Output, Result, WrittenFile
from imgbatch.outputs.json import as_document, print_json, write_json
from imgbatch.outputs.pictures import Pictures, dominant_colors
from imgbatch.outputs.sheet import check_sheet_path, write_sheet
from imgbatch.outputs.summaries import write_facts
from imgbatch.outputs.table import write_table

OUTPUTS: dict[str, Output] = {"table": write_table, "json": write_json}
"""What a request can print. A new output needs a file and a line here."""

__all__ = [
    "OUTPUTS",
    "Output",
    "Pictures",
    "Result",
    "WrittenFile",
    "as_document",
    "check_sheet_path",
    "dominant_colors",
    "print_json",
    "write_facts",
    "write_json",
    "write_sheet",
    "write_table",
]
