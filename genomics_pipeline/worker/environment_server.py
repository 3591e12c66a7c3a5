"""A program that forks execution environments of steps on Lambda: see `interpreter_server` for the protocol.

It has imported all that an environment needs, and nothing of a step, so that an environment starts in a hundredth of
the time, and none finds what another has left. The further descriptor of a request is the socket of the calls.
"""

from __future__ import annotations

import gc
import socket
import sys

from genomics_pipeline.worker.interpreter_server import ForkLoop
from genomics_pipeline.worker.lambda_environment import serve_calls

if __name__ == "__main__":
    gc.freeze()
    serve_calls(ForkLoop(socket.socket(fileno=int(sys.argv[1]))).serve()["descriptors"][0])
