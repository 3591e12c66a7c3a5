from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice, repeat

from genomics_pipeline.report.ledger import LedgerRow, missing_lines, row_text, tsv_lines
from genomics_pipeline.report.run_state import Missing

ROW = LedgerRow(
    sample="s1",
    scope="sample",
    stage="alignment",
    label="out_of_memory",
    attempts=2,
    memory_mib=[8192, 16384],
    message="killed\tas \\ it\r\nsaid",
    log="/tasks alignment/default/0",
    rerun="genomics-pipeline rerun /r --sample s1",
)
NEVER = replace(ROW, stage=None, label="pending", attempts=0, memory_mib=[], log=None)


def test_what_would_break_a_table_is_escaped_and_what_is_not_there_is_empty() -> None:
    assert list(tsv_lines([ROW, NEVER])) == [
        "sample\tstage\tclass\tattempts\tmemory_mib\tmessage\tlog\trerun\n",
        "s1\talignment\tout_of_memory\t2\t8192, 16384\tkilled\\tas \\\\ it\\r\\nsaid\t/tasks alignment/default/0\t"
        "genomics-pipeline rerun /r --sample s1\n",
        "s1\t\tpending\t0\t\tkilled\\tas \\\\ it\\r\\nsaid\t\tgenomics-pipeline rerun /r --sample s1\n",
    ]


def test_a_table_is_written_as_it_is_read() -> None:
    assert len(list(islice(tsv_lines(repeat(ROW)), 3))) == 3


def test_what_never_began_has_nothing_that_was_tried() -> None:
    assert row_text(replace(NEVER, message="never started")).splitlines() == [
        "s1  pending",
        "  never started",
        "  rerun: genomics-pipeline rerun /r --sample s1",
    ]


def test_all_that_is_missing_is_counted() -> None:
    missing = Missing(
        samples=10000,
        by_scope=Counter(sample=1200, interval=1, cohort=1),
        by_class=Counter(bad_input=1201, tool_error=1),
        first=["a", "b", "c", "d", "e"],
    )
    assert missing_lines(missing, "s3://b/runs/r", succeeded=False, accepted=False) == [
        "Missing: 1,200 of 10,000 samples, 1 interval, the cohort (1,201 bad input, 1 tool error): "
        "a, b, c, d, e and 1,197 more",
        "list them: genomics-pipeline results s3://b/runs/r --failed",
        "run them again (what is done is kept): genomics-pipeline rerun s3://b/runs/r",
    ]
