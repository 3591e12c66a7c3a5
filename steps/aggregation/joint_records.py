"""The joint records that an interval owns, with allele frequencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from interval import Ownership

AF_HEADER = '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency among the called genotypes">\n'


def write_joint(
    lines: Iterable[str],
    own: Ownership,
    describe: Callable[[Iterable[str]], Iterable[str]],
    more: str,
    write: Callable[[str], None],
) -> None:
    """Write a VCF's header, with more lines, and its records that start within the interval, with AF.

    Args:
        lines: The VCF.
        own: The interval.
        describe: Returns the header's lines with what made it; those of the gVCFs say what made each of them.
        more: Header lines to add, such as those that declare the filters.
        write: Writes text to the output.
    """
    header: list[str] = []
    for line in lines:
        if line.startswith("#CHROM"):
            write("".join([*describe(header), more, AF_HEADER, line]))
        elif line.startswith("#"):
            # bcftools would describe filters by their expressions.
            if not line.startswith(("##FILTER=<ID=Low", "##FILTER=<ID=Strand")):
                header.append(line)
        else:
            contig, pos, name, ref, alts, *middle, info, rest = line.split("\t", 8)
            if (contig, int(pos)) in own:
                alleles = ref.upper(), alts.upper()  # bcftools takes bases as the reference has them
                write("\t".join([contig, pos, name, *alleles, *middle, with_frequency(info), rest]))


def with_frequency(info: str) -> str:
    """Return an INFO column with AF added, from its AC and AN.

    >>> with_frequency("DP=9;AC=1,2;AN=8")
    'DP=9;AC=1,2;AN=8;AF=0.125,0.25'
    """
    values = dict(entry.partition("=")[::2] for entry in info.split(";"))
    called = int(values.get("AN", "0"))
    if not called:
        return info
    return f"{info};AF={','.join(f'{int(count) / called:.6g}' for count in values['AC'].split(','))}"
