"""Files of lines in VCF that are read by region."""

from __future__ import annotations

from pathlib import Path

import pysam


def open_tabix(path: str) -> pysam.TabixFile:
    """Open a file with its index beside it, `.tbi` or, for contigs of 2^29 bp or more, `.csi`.

    pysam looks for the first only.

    Raises:
        OSError: if the file or its index is missing or cannot be read.
    """
    csi = f"{path}.csi"
    return pysam.TabixFile(path, index=csi if Path(csi).is_file() else None, encoding="utf-8")
