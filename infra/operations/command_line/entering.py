"""What the commands that enter corrections have in common: the stored list, the policy, the author and the message."""

from __future__ import annotations

from collections.abc import Sequence

from amazon_to_xero.domain.amazon.correction_message import correction_message
from amazon_to_xero.domain.corrections import Correction, Corrections
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.runtime.composition import categories_in_file
from amazon_to_xero.runtime.settings import ConnectionSettings, parse
from operations.command_line.session import Session, UsageProblem


def stored_corrections(session: Session, source: str) -> Corrections:
    """Return what is entered of a source so far."""
    return session.store().load(Corrections, [source]).get(source, Corrections(source))


def with_entries(row: Corrections, made: Sequence[Correction]) -> Corrections:
    """Return the row with more entries. Raises UsageProblem for one that would be refused."""
    try:
        for each in made:
            row = row.with_entry(each) or row
    except Failure as failure:
        raise UsageProblem(failure.remedy) from None
    return row


def policy_of(session: Session) -> PostingPolicy:
    """Return the policy that the functions plan by. Raises SettingsError where they cannot."""
    name = session.connection
    settings = parse(ConnectionSettings, session.settings[name], f"the settings of connection {name}")
    return settings.policy(categories_in_file(name, settings, session.store()))


def author_of(session: Session, named: str) -> str:
    """Return who states or asks for something: whom an option names, else the AWS caller."""
    return named or str(session.client("sts").get_caller_identity()["Arn"])


def send(session: Session, source: str, made: Sequence[Correction]) -> None:
    """Send the corrections to the queue of the function that plans their source."""
    queue = "ShipmentsQueueUrl" if identity_of(source, SourceKind.ORDER) else "RefundsQueueUrl"
    for each in made:
        body = correction_message(session.connection, source, each)
        session.client("sqs").send_message(QueueUrl=session.output(queue), MessageBody=body)
