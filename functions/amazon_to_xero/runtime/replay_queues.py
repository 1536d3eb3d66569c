"""The queues that the replay function uses, from its environment, and the services over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from amazon_to_xero.adapters.aws.replay_queues import (
    SqsClient,
    SqsDeadLetterSource,
    SqsStoppedLetters,
    SqsWorkQueue,
)
from amazon_to_xero.ports.replay import DeadLetterSource, StoppedLetters, WorkQueue
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.settings import SettingsError

_STOPPED = "STOPPED_LETTERS_URL"


@dataclass(frozen=True)
class ReplayQueues:
    """The queues of a stack.

    dead_letters, work: by capability.
    stopped, stopped_letters: the queue of letters that the automatic replay has stopped: to send to, to receive from.
    capabilities: name of a dead-letter queue -> its capability.
    """

    dead_letters: Mapping[str, DeadLetterSource]
    work: Mapping[str, WorkQueue]
    stopped: StoppedLetters
    stopped_letters: DeadLetterSource
    capabilities: Mapping[str, str]


def replay_queues(sqs: SqsClient, environment: Mapping[str, str]) -> ReplayQueues:
    """Return the queues. Raises SettingsError that names each missing variable."""
    variables = {name: each.dead_letter_queue for name, each in CAPABILITIES.items()}
    sources = {name: variable.replace("_DLQ_", "_QUEUE_") for name, variable in variables.items()}
    missing = [name for name in (*variables.values(), *sources.values(), _STOPPED) if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"the function's environment cannot be used. {', '.join(missing)}: Field required. Deploy the stack again."
        )
    urls = {name: environment[variable] for name, variable in variables.items()}
    return ReplayQueues(
        {name: SqsDeadLetterSource(sqs, url, name) for name, url in urls.items()},
        {name: SqsWorkQueue(sqs, environment[variable]) for name, variable in sources.items()},
        SqsStoppedLetters(sqs, environment[_STOPPED]),
        SqsDeadLetterSource(sqs, environment[_STOPPED]),
        {PurePosixPath(url).name: name for name, url in urls.items()},
    )
