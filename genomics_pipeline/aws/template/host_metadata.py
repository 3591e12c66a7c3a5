"""The metadata of a host: its type, zone and market for the tasks, and nothing else of it.

AWS Batch runs the tasks of EC2 hosts in the network of the host. To the metadata service they look like the host
itself, whatever its limit of hops, and would get the credentials of the host's role from it.
"""

from __future__ import annotations

from genomics_pipeline.model.task import HOST_FILE

USER = "10001:10001"  # of the images

# Fails closed: without the rule, the host runs no tasks, and Batch says that no host joins its cluster. The credentials
# of tasks come from another address, 169.254.170.2, by the ECS agent's own rules. The IPv6 address answers only where
# the launch template enables it, so that a host without IPv6 needs no rule.
BLOCK_SCRIPT = f"""\
#!/bin/bash
set -u
block() {{
  "$1" -w -I OUTPUT -d "$2" -m owner --uid-owner {USER.partition(":")[0]} -j REJECT
}}
command -v iptables || dnf -y install iptables-nft
if ! block iptables 169.254.169.254; then
  echo "no tasks run here: cannot close the metadata service to them" >&2
  systemctl mask --now ecs.service
fi
block ip6tables fd00:ec2::254
exit 0
"""


def fact_lines(folder: str) -> str:
    """Return the lines of a script that write the facts of the host to a file which only root can change.

    Args:
        folder: The folder of the file.
    """
    return f"""\
metadata=http://169.254.169.254/latest
token=$(curl -sf -m 5 --retry 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
fact() {{
  curl -sf -m 5 --retry 3 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/$1"
}}
if type=$(fact instance-type) && zone=$(fact placement/availability-zone) && market=$(fact instance-life-cycle); then
  printf '{{"instance_type": "%s", "zone": "%s", "market": "%s"}}\\n' "$type" "$zone" "$market" > {folder}/{HOST_FILE}
  chmod 644 {folder}/{HOST_FILE}
fi
"""
