"""The user data of a host: the scratch folder, its instance store or a folder of its EBS volume; and its metadata."""

from __future__ import annotations

from genomics_pipeline.aws.template.host_metadata import BLOCK_SCRIPT, fact_lines

SCRATCH = "/scratch"

# Runs once, at the first boot and before the ECS agent, which waits for cloud-init. Disks are selected by their model.
# Mode 1777: the user of the containers is not root, and makes folders of mode 700 in it.
_SCRIPT = f"""\
#!/bin/bash
set -u
mkdir -p {SCRATCH}
mapfile -t disks < <(lsblk -dpno NAME,MODEL | awk '/Instance Storage/ {{print $1}}')
disk=""
if (( ${{#disks[@]}} > 1 )) && {{ command -v mdadm || dnf -y install mdadm; }}; then
  mdadm --create /dev/md0 --run --level=0 --raid-devices="${{#disks[@]}}" "${{disks[@]}}" && disk=/dev/md0
fi
if [[ -z $disk ]] && (( ${{#disks[@]}} > 0 )); then
  disk=${{disks[0]}}
fi
if [[ -n $disk ]]; then
  mkfs.xfs -f -K "$disk" && mount -o noatime,nodiratime "$disk" {SCRATCH}
fi
{fact_lines(SCRATCH)}
chmod 1777 {SCRATCH}
"""

_BOUNDARY = "==scratch=="


def user_data() -> str:
    """Return the user data of the launch template: a MIME multipart archive, to which Batch adds its own parts."""
    head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{_BOUNDARY}"\n\n'
    parts = {"text/cloud-boothook": BLOCK_SCRIPT, "text/x-shellscript": _SCRIPT}  # a boothook runs at every boot
    texts = [f'--{_BOUNDARY}\nContent-Type: {kind}; charset="us-ascii"\n\n{text}\n' for kind, text in parts.items()]
    return f"{head}{''.join(texts)}--{_BOUNDARY}--\n"
