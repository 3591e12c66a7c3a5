"""The nodes of a Slurm partition in a simulation: each job takes cores and memory of one node."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.shares import LeastMemory, Share


@dataclass(frozen=True, slots=True)
class NodeSize:
    """The size of a node.

    Attributes:
        cores: Its cores.
        memory_mib: Its memory.
    """

    cores: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class NodeShare(Share):
    """The cores and memory of a job on a node.

    Attributes:
        node: The index of the node.
    """

    node: int


def job_share(vcpus: int, memory_mib: int, least_mib: LeastMemory, most: NodeSize) -> Share:
    """Return the cores and the memory that a job asks for: what its step declares, as far as it may have them.

    Args:
        vcpus: The cores that it declares.
        memory_mib: The memory that it declares.
        least_mib: The memory that it needs at least, by its cores.
        most: The most that a job may have: the largest node, or less.
    """
    cores = min(vcpus, most.cores)
    return Share(cores, max(min(memory_mib, most.memory_mib), least_mib(cores)))


def has_room(nodes: Iterable[NodeSize], share: Share) -> bool:
    """Return whether a job fits on a node where nothing else runs."""
    return any(one.cores >= share.vcpus and one.memory_mib >= share.memory_mib for one in nodes)


class Cluster:
    """The room of a partition for the jobs of one user.

    Jobs start in the order of their submission; where one has no room, smaller ones behind it start (backfill). Jobs of
    other users are not there. One that never has room waits for ever: see `has_room`.

    Args:
        nodes: The nodes.
        most: The most that a job may have.
        jobs: The most jobs that run at a time; None for as many as fit.
        cores: The most cores of them together; None for all.
    """

    def __init__(
        self, nodes: Sequence[NodeSize], most: NodeSize, jobs: int | None = None, cores: int | None = None
    ) -> None:
        self._most = most
        self._free = [[one.cores, one.memory_mib] for one in nodes]
        self._jobs = sum(one.cores for one in nodes) if jobs is None else jobs
        self._cores = sum(one.cores for one in nodes) if cores is None else cores
        self._waiting: dict[Share, deque[tuple[int, asyncio.Future[NodeShare]]]] = defaultdict(deque)
        self._number = 0

    async def acquire(self, vcpus: int, memory_mib: int, least_mib: LeastMemory) -> NodeShare:
        """Wait for a node and return the share of it; see `job_share`."""
        placed = asyncio.get_running_loop().create_future()
        self._number += 1
        self._waiting[job_share(vcpus, memory_mib, least_mib, self._most)].append((self._number, placed))
        self._place()
        share: NodeShare = await placed
        return share

    def release(self, share: NodeShare) -> None:
        """Return a share to its node."""
        self._give(share, 1)
        self._place()

    def _give(self, share: NodeShare, sign: int) -> None:
        self._free[share.node][0] += sign * share.vcpus
        self._free[share.node][1] += sign * share.memory_mib
        self._jobs += sign
        self._cores += sign * share.vcpus

    def _place(self) -> None:
        """Start all waiting jobs for which there is room, those that wait longest first."""
        shapes = sorted((queue[0][0], shape) for shape, queue in self._waiting.items() if queue)
        while shapes:
            _, shape = shapes.pop(0)
            if (node := self._room(shape)) is None:
                continue
            share = NodeShare(shape.vcpus, shape.memory_mib, node)
            self._give(share, -1)
            queue = self._waiting[shape]
            queue.popleft()[1].set_result(share)
            if queue:
                shapes = sorted([*shapes, (queue[0][0], shape)])

    def _room(self, shape: Share) -> int | None:
        """Return the first node with room for a job; None if there is none."""
        if self._jobs < 1 or self._cores < shape.vcpus:
            return None
        fitting = (
            index
            for index, (cores, memory_mib) in enumerate(self._free)
            if cores >= shape.vcpus and memory_mib >= shape.memory_mib
        )
        return next(fitting, None)


def largest_node(nodes: Sequence[NodeSize]) -> NodeSize:
    """Return the node with most memory, and of several the one with most cores."""
    return max(nodes, key=lambda one: (one.memory_mib, one.cores))
