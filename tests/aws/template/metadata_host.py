"""A host in a network namespace of its own: its metadata service, its user data, and requests of root and of a task.

python metadata_host.py BLOCK_SCRIPT SCRATCH_SCRIPT
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METADATA, METADATA_V6, CREDENTIALS = "169.254.169.254", "fd00:ec2::254", "169.254.170.2"
TASK = 10001
FACTS = {"instance-type": "c6id.4xlarge", "placement/availability-zone": "eu-central-1b", "instance-life-cycle": "spot"}


class ServerV6(ThreadingHTTPServer):
    """A server of an IPv6 address."""

    address_family = socket.AF_INET6


class Service(BaseHTTPRequestHandler):
    """The metadata service, version 2, which also answers for the ECS agent."""

    def do_PUT(self) -> None:
        self._answer(200 if self.path == "/latest/api/token" else 404, "TOKEN")

    def do_GET(self) -> None:
        if self.headers["Host"] == CREDENTIALS:
            self._answer(200, "credentials of the task")
        elif self.headers["X-aws-ec2-metadata-token"] != "TOKEN":
            self._answer(401, "")
        else:
            fact = FACTS.get(self.path.removeprefix("/latest/meta-data/"))
            self._answer(200 if fact else 404, fact or "")

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())


def is_answered(address: str, user: int) -> bool:
    """Return whether a user gets an answer of a server, whatever it is."""
    argv = ["curl", "-s", "-m", "5", "--noproxy", "*", f"http://{address}/"]
    return (
        subprocess.run(argv, user=user, group=user, extra_groups=[], capture_output=True, check=False).returncode == 0
    )


def answers() -> dict[str, list[bool]]:
    return {
        name: [is_answered(address, user) for user in (0, TASK)]
        for name, address in (
            ("metadata", METADATA),
            ("metadata by IPv6", f"[{METADATA_V6}]"),
            ("credentials", CREDENTIALS),
        )
    }


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for kind, address in ((ThreadingHTTPServer, METADATA), (ServerV6, METADATA_V6), (ThreadingHTTPServer, CREDENTIALS)):
        at_once = ["nodad"] if ":" in address else []  # IPv6 otherwise looks for duplicates first
        subprocess.run(["ip", "address", "add", address, "dev", "lo", *at_once], check=True)
        server = kind((address, 80), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    before = answers()
    for script in sys.argv[1:]:
        subprocess.run(["bash", "-c", script], stdout=subprocess.DEVNULL, check=True)
    print(json.dumps({"before": before, "after": answers()}))


if __name__ == "__main__":
    main()
