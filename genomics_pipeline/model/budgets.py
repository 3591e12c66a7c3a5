"""Budgets of foreign data: how much of it is read before it is refused, each defined here once.

A budget bounds memory and time, whoever wrote the data: a file that decompresses to a thousand times its size, a line
without an end, a server that never stops sending. Each is far beyond what real data need. Import the module, not its
names, as in ``budgets.SHEET_SIZE.value``; AWS's limits are in `model.quotas`.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget of foreign data.

    Attributes:
        value: The greatest value.
        unit: bytes, seconds, lines, sequences, values, errors, levels, symbols, digits or characters.
        what: What is bounded, for the documentation.
    """

    value: int
    unit: str
    what: str

    def __str__(self) -> str:
        """Return the value with its unit.

        >>> str(SHEET_SIZE), str(SHEET_LINES)
        ('256 MiB', '2,000,000 lines')
        """
        if self.unit == "bytes":
            return f"{self.value // MIB} MiB"
        return f"{self.value:,} {self.unit}"


SHEET_SIZE = Budget(256 * MIB, "bytes", "a sample sheet, decompressed")
SHEET_LINE = Budget(MIB, "bytes", "a line of a sample sheet")
SHEET_LINES = Budget(2_000_000, "lines", "a sample sheet")
SHEET_ERRORS = Budget(1000, "errors", "the errors of a sample sheet that are reported at once")
FASTQ_LINE = Budget(MIB, "bytes", "a line of a FASTQ file; bwa mem is made for reads of up to a million bases")
FASTQ_HEAD = Budget(64 * MIB, "bytes", "the first records of a FASTQ file, which are checked before a run")
FASTA_NAME = Budget(1000, "bytes of text", "the name of a sequence in a FASTA file")
FASTA_NAME_LINE = Budget(MIB, "bytes", "the name and the description of a sequence")
FASTA_SEQUENCES = Budget(2_000_000, "sequences", "a FASTA file")
FASTA_BLANKS = Budget(16 * MIB, "bytes", "blanks and line breaks of a sequence, beyond one for each base")
FASTA_EXPANSION = Budget(100, "times its size", "a FASTA file that is decompressed, beyond its first bytes")
FASTA_FIRST_BYTES = Budget(384 * MIB, "bytes", "these first bytes")
FASTA_ERRORS = Budget(25, "errors", "the errors of a FASTA file that are reported at once")
INDEX_EXPANSION = Budget(
    100, "times the FASTA file", "an index file (.fai, .dict, .alt, bwa's), beyond its first bytes"
)
INDEX_FIRST_BYTES = Budget(16 * MIB, "bytes", "these first bytes")
INDEX_LINE = Budget(2 * MIB, "bytes", "a line of an index file that is text")
WEB_SILENCE = Budget(15, "seconds", "a web server that sends nothing")
WEB_TIME = Budget(40, "seconds", "a sample sheet from a web server, with all redirects")
WEB_REDIRECTS = Budget(5, "redirects", "a file from a web server")
DECOMPRESSION_MEMORY = Budget(128 * MIB, "bytes", "the window that a compressed file (.xz, .zst) may need")
JSON_SIZE = Budget(64 * MIB, "bytes", "a definition, an input, mocked responses, or a file to explain")
JSON_DEPTH = Budget(200, "levels", "nested arrays and objects in them, in records and in payloads")
RECORD_SIZE = Budget(64 * MIB, "bytes", "a record of a run, such as run.json or step.json")
MACHINE_TASKS_SIZE = Budget(4 * MIB, "bytes", "the file of the tasks of a machine, in the cache")
USAGE_SIZE = Budget(MIB, "bytes", "the file in which a container says what it uses, or a host what it is")
TOOLS_SIZE = Budget(MIB, "bytes", "the file in which a step's program names its tools and their versions")
LOG_END = Budget(16 * MIB, "bytes", "the end of a log, from which its last lines are shown")
TOML_SIZE = Budget(MIB, "bytes", "a pipeline file, a step.toml, a file of parameters, genomes or faults")
TOML_DEPTH = Budget(50, "levels", "nested tables and arrays in them, and the parts of a dotted key")
TOML_ITEMS = Budget(1000, "items", "an array in one of these files, such as the stages of a pipeline")
TOML_ERRORS = Budget(100, "errors", "the errors of one of these files that are reported at once")
EXPRESSION_SYMBOLS = Budget(50_000, "symbols", "a JSONata expression: names, literals, operators, brackets")
NUMBER_DIGITS = Budget(1000, "digits", "a number in JSON")
BED_SIZE = Budget(512 * MIB, "bytes", "a BED file, decompressed")
BED_LINE = Budget(MIB, "bytes", "a line of a BED file")
BED_ERRORS = Budget(100, "errors", "the errors of a BED file that are reported at once")
PLOIDY_SIZE = Budget(16 * MIB, "bytes", "a ploidy file, decompressed")
PLOIDY_LINE = Budget(MIB, "bytes", "a line of a ploidy file")
PLOIDY_ERRORS = Budget(100, "errors", "the errors of a ploidy file that are reported at once")
GFF3_SIZE = Budget(8192 * MIB, "bytes", "a GFF3 file, decompressed")
GFF3_LINE = Budget(MIB, "bytes", "a line of a GFF3 file")
GFF3_ERRORS = Budget(25, "errors", "the errors of a GFF3 file that are reported at once")
PARQUET_VALUES = Budget(16_000_000, "values", "the lists of a column in a row group of a Parquet file")
PARQUET_TEXT = Budget(4096 * MIB, "bytes", "the text and the lists of a row group of a Parquet file, expanded")
PRICES_SIZE = Budget(16 * MIB, "bytes", "a table of prices in the user's folder")
OFFER_SIZE = Budget(4096 * MIB, "bytes", "an offer file of AWS's, with the prices of a service")
OFFER_LINE = Budget(MIB, "bytes", "a line of it")
OFFER_TIME = Budget(3600, "seconds", "the transfer of it")
SPOT_PRICES = Budget(1_000_000, "prices", "EC2's answer with the Spot prices of a hundred instance types")
VCF_HEADER = Budget(64 * MIB, "bytes", "the header of a VCF file of true genotypes or known variants")
VCF_LINE = Budget(16 * MIB, "bytes", "a line of it")
TABIX_INDEX = Budget(512 * MIB, "bytes", "an index of a VCF file (.tbi, .csi), decompressed")
PANEL_WHOLE = Budget(4 * MIB, "bytes", "a reference panel of which all records are checked before a run")
PANEL_TEXT = Budget(4096 * MIB, "bytes", "such a panel, decompressed")
PANEL_RECORDS = Budget(1000, "records", "the first records of a larger one, which are checked")
PANEL_ERRORS = Budget(25, "errors", "the errors of a reference panel or a genetic map that are reported at once")
MESSAGE = Budget(10_000, "characters", "an error message")


def all_budgets() -> dict[str, Budget]:
    """Return every budget by its name."""
    return {name: value for name, value in globals().items() if isinstance(value, Budget)}
