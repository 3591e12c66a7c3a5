"""The scratch folder of a host: its instance store as one file system, or a folder of its EBS volume."""

from __future__ import annotations

SCRATCH = "/scratch"

# Runs once, at the first boot and before the ECS agent, which waits for cloud-init. Disks are selected by their model.
# Mode 1777: the user of the containers is not root, and no task may delete the files of another.
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
chmod 1777 {SCRATCH}
"""

_BOUNDARY = "==scratch=="


def user_data() -> str:
    """Return the user data of the launch template: a MIME multipart archive, to which Batch adds its own parts."""
    return (
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{_BOUNDARY}"\n\n'
        f'--{_BOUNDARY}\nContent-Type: text/x-shellscript; charset="us-ascii"\n\n'
        f"{_SCRIPT}\n--{_BOUNDARY}--\n"
    )
