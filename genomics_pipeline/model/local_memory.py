"""The memory that a step needs on one machine, where jobs share it: declared in ``[local_memory]`` of ``step.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceSize:
    """The size of the reference that a step works on.

    Attributes:
        index_bytes: The size of the index files that the step declares.
        contig_bp: The length of the longest sequence.
    """

    index_bytes: int = 0
    contig_bp: int = 0


@dataclass(frozen=True, slots=True)
class LocalMemory:
    """The terms of a sum.

    Attributes:
        mib: Memory of the program itself.
        mib_per_vcpu: Memory of each vCPU.
        per_index_byte: Bytes for each byte of the reference's indexes.
        per_contig_base: Bytes for each base of the longest contig.
        per_vcpu_contig_base: The same, for each vCPU.
    """

    mib: int
    mib_per_vcpu: int = 0
    per_index_byte: float = 0
    per_contig_base: float = 0
    per_vcpu_contig_base: float = 0

    def least_mib(self, vcpus: int, reference: ReferenceSize) -> int:
        """Return the memory that a job needs at least, in MiB.

        Args:
            vcpus: The cores of the job.
            reference: The size of its reference.

        >>> human = ReferenceSize(index_bytes=5_400_000_000, contig_bp=248_956_422)
        >>> LocalMemory(300, 120, per_index_byte=1).least_mib(4, human)
        5930
        """
        size = self.per_index_byte * reference.index_bytes
        size += (self.per_contig_base + vcpus * self.per_vcpu_contig_base) * reference.contig_bp
        return self.mib + vcpus * self.mib_per_vcpu + -(-int(size) >> 20)
