"""What one call to Xero carries. Xero's limits are in ports/xero; these are the sizes that we use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from amazon_to_xero.domain.books.document import Document
from amazon_to_xero.domain.books.document_types import DOCUMENT_TYPES
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.xero import MAX_BYTES, MAX_ELEMENTS, MAX_VALUES

BATCH_SIZE = MAX_ELEMENTS
BATCH_BYTES = MAX_BYTES
LOOKUP_SIZE = MAX_VALUES


@dataclass(frozen=True)
class PostingRequest:
    """A document and the element that is sent for it."""

    document: Document
    body: Json


def batches(requests: Sequence[PostingRequest]) -> Iterator[list[PostingRequest]]:
    """Yield batches of requests of one kind, of at most BATCH_SIZE requests and BATCH_BYTES bytes.

    What Xero takes at the address of its owner is batched by owner: the allocations of one credit note.
    Documents whose writes had no stated outcome come last, in batches of a quarter for each such write, so that the one
    that causes it is soon alone.
    """
    by_unknown = sorted({request.document.unknown_outcomes for request in requests})
    for unknown_outcomes in by_unknown:
        suspects = [each for each in requests if each.document.unknown_outcomes == unknown_outcomes]
        for group in _by_address(suspects):
            yield from _batches(group, max(1, BATCH_SIZE // 4**unknown_outcomes))


def lookup_batches(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    """Yield groups of at most LOOKUP_SIZE documents; those whose look-up Xero did not answer come last, one by one."""
    alone = [document for document in documents if document.reason == WaitReason.LOOKUP_UNANSWERED]
    yield from batched((document for document in documents if document not in alone), LOOKUP_SIZE, strict=False)
    yield from batched(alone, 1, strict=False)


def _by_address(requests: Sequence[PostingRequest]) -> Iterable[Sequence[PostingRequest]]:
    """Group requests by the address that they are sent to."""
    groups: dict[str, list[PostingRequest]] = {}
    for request in requests:
        spec, desired = DOCUMENT_TYPES[request.document.kind], request.document.desired
        address = desired.references[spec.owner_path] if spec.is_written_to_owner else spec.collection
        groups.setdefault(address, []).append(request)
    return groups.values()


def _batches(requests: Sequence[PostingRequest], batch_size: int) -> Iterator[list[PostingRequest]]:
    batch: list[PostingRequest] = []
    size = 0
    for request in requests:
        length = len(canonical_json(request.body).encode()) + 2
        if batch and (len(batch) == batch_size or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += length
    if batch:
        yield batch
