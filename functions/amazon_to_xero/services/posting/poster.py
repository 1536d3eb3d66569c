"""The one posting path: brings Xero's documents to what they should be, in batches, effectively once.

Four things together keep a document from being written twice: the intent is durable before the call, every attempt has
its Idempotency-Key, an unknown outcome is looked up in Xero before anything is written again, and numbers are unique.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any

from amazon_to_xero.domain.books.contact import told_apart
from amazon_to_xero.domain.books.document import Document, State, Work
from amazon_to_xero.domain.books.document_types import IN_XERO, Kind, KindInXero
from amazon_to_xero.domain.books.matching import Match, match, payment_inside
from amazon_to_xero.domain.books.refusals import NOT_MODIFIABLE, Refusal, refusal
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DeadLetters, Journal
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.ports.xero import Outcome, XeroApi, XeroError, XeroOutcomeUnknown, XeroRefused
from amazon_to_xero.services.intake.buyer_details import Buyers
from amazon_to_xero.services.pauses import NOT_AUTHORISED_FOR, Pauses

BATCH = 50  # Xero: about 50 documents a request
BATCH_BYTES = 3_000_000  # Xero: 3.5 MB a request
LOOK_AT_ONCE = 40  # numbers in one query
DUE_AT_ONCE = 2000
_ROUNDS = 3  # write, look at what was doubtful, write what was found absent
_TRIES = 5
HUNT_FOR_AT_MOST = 8  # refused calls; halving a batch of 50 finds one culprit in 7
REFERENCE_FAILED = "REFERENCE_FAILED"

type Write = Callable[[str, Sequence[Json], str], list[Outcome]]
type Step = Callable[[Document], Document]


@dataclass(frozen=True)
class PostReport:
    """`applied` and `failed` count documents; `stopped` says why not everything due was posted."""

    applied: int = 0
    failed: int = 0
    stopped: str = ""

    def plus(self, other: PostReport) -> PostReport:
        return PostReport(self.applied + other.applied, self.failed + other.failed, other.stopped or self.stopped)


@dataclass
class _Hunt:
    """The search for the document that makes Xero refuse a whole batch."""

    deadline: datetime
    refused: int = 0
    accepted: bool = False


class Ledger:
    """Posts the due documents of one connection. Safe to run at any time, by several workers, after any crash."""

    def __init__(
        self,
        connection: str,
        xero: XeroApi,
        store: StateStore,
        pauses: Pauses,
        dead_letters: Mapping[Work, DeadLetters],
        buyers: Buyers,
        ask_again: Callable[[Sequence[str]], object],
        clock: Clock,
        journal: Journal,
    ) -> None:
        """`ask_again` makes orders due for reading: those whose buyers `buyers` does not hold."""
        self._connection = connection
        self._xero = xero
        self._store = store
        self._pauses = pauses
        self._dead_letters = dead_letters
        self._buyers = buyers
        self._ask_again = ask_again
        self._clock = clock
        self._journal = journal

    def post_due(self, named: Sequence[str], deadline: datetime) -> PostReport:
        """Posts what is due, and of `named` what is due although the index may not show it yet.

        Xero's faults end in the report and in the documents' rows, never in an exception.
        """
        halted = self._halted(deadline)
        if halted:
            return halted
        keys = dict.fromkeys([*named, *self._store.due_documents(self._clock.now(), DUE_AT_ONCE)])
        report = PostReport()
        for kind in Kind:
            if self._pauses.until(f"xero#{kind}"):
                continue
            for _ in range(_ROUNDS):
                due = self._due(kind, keys)
                if not due:
                    break
                report = report.plus(self._post(kind, due, deadline))
                if report.stopped:
                    return report
        return report

    def _due(self, kind: Kind, keys: Iterable[str]) -> list[Document]:
        now = self._clock.now()
        of_kind = [key for key in keys if key.startswith(f"{kind}#")]
        return [document for document in self._store.documents(of_kind).values() if document.is_due(now)]

    def _post(self, kind: Kind, due: Sequence[Document], deadline: datetime) -> PostReport:
        """One round: what may already stand in Xero is looked for, the rest is written."""
        report = PostReport()
        for chunk in batched([d for d in due if d.needs_a_look()], LOOK_AT_ONCE, strict=False):
            report = report.plus(self._halted(deadline) or self._look(kind, chunk))
            if report.stopped:
                return report
        ready, ids = self._with_references([d for d in due if not d.needs_a_look()])
        absent = [d for d in ready if d.desired.removed and not d.exists_in_xero]
        report = report.plus(self._settle([(document, self._nothing_to_remove) for document in absent]))
        bodies, lacking = self._bodies([d for d in ready if d.exists_in_xero or not d.desired.removed], ids)
        report = report.plus(lacking)
        creates = [(document, body) for document, body in bodies if not document.exists_in_xero]
        updates = [(document, body) for document, body in bodies if document.exists_in_xero]
        if not IN_XERO[kind].changeable:
            report = report.plus(self._settle([(document, _unchangeable) for document, _ in updates]))
            updates = []
        for documents, write in ((creates, self._xero.create), (updates, self._xero.update)):
            for batch in _batches(documents):
                report = report.plus(self._halted(deadline) or self._write(kind, write, batch, _Hunt(deadline)))
                if report.stopped:
                    return report
        return report

    def _halted(self, deadline: datetime) -> PostReport | None:
        if self._pauses.until("xero"):
            return PostReport(stopped="XERO_PAUSED")
        if self._clock.now() >= deadline:
            return PostReport(stopped="OUT_OF_TIME")
        return None

    def _with_references(self, documents: Sequence[Document]) -> tuple[list[Document], Mapping[str, str]]:
        """Those whose references stand in Xero, with the ids; the others wait for, or fail with, what they refer to."""
        wanted = dict.fromkeys(key for document in documents for key in document.desired.refers.values())
        referred = self._store.documents(wanted) if wanted else {}
        ids = {key: document.xero_id for key, document in referred.items() if _stands(document)}
        ready = []
        waiting: list[tuple[Document, Step]] = []
        for document in documents:
            missing = [key for key in document.desired.refers.values() if key not in ids]
            if not missing or document.desired.removed:
                ready.append(document)
                continue
            other = referred.get(missing[0])
            if other is not None and other.desired.removed and not document.exists_in_xero:
                # A worker that was frozen asked for the payment of what has been taken back since.
                waiting.append((document, Document.withdrawn))
            elif other is not None and other.state is State.FAILED:
                hint = f"{other.key} is not in Xero: {other.hint}"
                # A customer has no dead letter of its own that would say it; another document of this order has.
                reason = REFERENCE_FAILED if other.desired.work else other.reason
                waiting.append((document, partial(Document.failed, reason=reason, hint=hint)))
            else:
                until = self._clock.now() + timedelta(minutes=1)
                waiting.append((document, partial(Document.deferred, until=until, reason="WAITING_FOR_REFERENCE")))
        self._settle(waiting)
        return ready, ids

    def _bodies(
        self, documents: Sequence[Document], ids: Mapping[str, str]
    ) -> tuple[list[tuple[Document, Json]], PostReport]:
        """What to send of each. A contact whose buyer is not at hand waits until its order has been read again."""
        bodies: list[tuple[Document, Json]] = []
        lacking: list[Document] = []
        for document in documents:
            content = self._content(document)
            if content is None:
                lacking.append(document)
            else:
                bodies.append((document, _body(document, content, ids)))
        if not lacking:
            return bodies, PostReport()
        without_buyer = partial(Document.without_buyer, now=self._clock.now())
        report = self._settle([(document, without_buyer) for document in lacking])
        after = self._store.documents(document.key for document in lacking).values()
        waiting = [document.desired.order_id for document in after if document.waits_for_buyer]
        if waiting:
            self._ask_again(waiting)
        return bodies, report

    def _content(self, document: Document) -> Mapping[str, Any] | None:
        """What it should hold; None for a buyer's contact whose details are not in this sandbox's memory."""
        desired = document.desired
        return self._buyers.details(desired.number, desired.buyer) if desired.buyer else desired.body

    def _nothing_to_remove(self, document: Document) -> Document:
        return document.applied("", "", document.desired.digest, self._clock.now())

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(self, kind: Kind, write: Write, batch: Sequence[tuple[Document, Json]], hunt: _Hunt) -> PostReport:
        """One call to Xero for a batch whose composition, bodies and Idempotency-Key stay fixed for the attempt."""
        now = self._clock.now()
        claims = self._store.save_documents([document.claimed(now) for document, _ in batch])
        claimed = [(claims[document.key], body) for document, body in batch if document.key in claims]
        if not claimed:
            return PostReport()
        key = self._idempotency_key(document for document, _ in claimed)
        bodies = [body for _, body in claimed]
        documents = [document for document, _ in claimed]
        try:
            outcomes = self._twice_if_unknown(write, IN_XERO[kind].collection, bodies, key)
        except XeroOutcomeUnknown as problem:
            step = partial(Document.unknown, until=self._pauses.pause_xero(problem, kind)[0], reason="OUTCOME_UNKNOWN")
            self._settle([(document, step) for document in documents], wrote=True)
            return PostReport(stopped="OUTCOME_UNKNOWN")
        except XeroRefused as problem:
            return self._refused(kind, write, claimed, problem, hunt)
        except XeroError as problem:
            until, reason = self._pauses.pause_xero(problem, kind)
            self._settle([(document, partial(Document.deferred, until=until, reason=reason)) for document in documents])
            return PostReport(stopped=reason)
        hunt.accepted = True
        return self._settle(
            [
                (document, partial(self._after, outcome=outcome, sent=document.desired.digest))
                for document, outcome in zip(documents, outcomes, strict=True)
            ],
            wrote=True,
        )

    def _twice_if_unknown(self, write: Write, collection: str, bodies: Sequence[Json], key: str) -> list[Outcome]:
        """The same call again with the same key when the answer was lost: Xero then repeats its first answer.

        A second call that is not executed (a limit, no token) says nothing of the first: that one stays unknown.
        """
        try:
            return write(collection, bodies, key)
        except XeroOutcomeUnknown:
            failure: XeroError
            try:
                return write(collection, bodies, key)
            except XeroError as problem:
                failure = problem
        raise XeroOutcomeUnknown(failure.operation, failure.status, failure.message)

    def _refused(
        self,
        kind: Kind,
        write: Write,
        claimed: Sequence[tuple[Document, Json]],
        problem: XeroRefused,
        hunt: _Hunt,
    ) -> PostReport:
        """Xero refused the whole call: halves find the one that spoils it.

        Where every half is refused, too, it is none of the documents: they wait, and a person looks at the connection.
        """
        hunt.refused += 1
        if hunt.refused > HUNT_FOR_AT_MOST and not hunt.accepted:
            until = self._clock.now() + NOT_AUTHORISED_FOR
            hint = f"Xero refuses every call: {problem.message[:300]}"
            self._pauses.pause("xero", until, "XERO_REFUSES_ALL", hint)
            step = partial(Document.deferred, until=until, reason="XERO_REFUSES_ALL")
            self._settle([(document, step) for document, _ in claimed])
            return PostReport(stopped="XERO_REFUSES_ALL")
        if len(claimed) == 1:
            step = partial(Document.failed, reason="XERO_REFUSED", hint=f"Xero says: {problem.message[:500]}")
            return self._settle([(claimed[0][0], step)])
        now = self._clock.now()
        again_at_once = partial(Document.deferred, until=now, reason="BATCH_REFUSED")
        self._settle([(document, again_at_once) for document, _ in claimed])
        current = self._store.documents(document.key for document, _ in claimed)
        # What is wanted otherwise by now is left to the next round: `body` is its old content.
        again = [
            (current[document.key], body)
            for document, body in claimed
            if current[document.key].is_due(now) and current[document.key].desired.digest == document.desired.digest
        ]
        report = PostReport()
        for half in (again[: len(again) // 2], again[len(again) // 2 :]):
            if half:
                report = report.plus(self._halted(hunt.deadline) or self._write(kind, write, half, hunt))
            if report.stopped:
                break
        return report

    def _after(self, document: Document, outcome: Outcome, sent: str) -> Document:
        """The document after Xero's word on it. `sent` is the digest of the content that Xero was given."""
        now = self._clock.now()
        spec = IN_XERO[document.kind]
        overtaken = sent != document.desired.digest  # something else is wanted by now; this was about the old content
        if not outcome.accepted:
            return self._as_refused(document, refusal(outcome.errors), overtaken)
        element = outcome.element
        status = str(element.get("Status") or element.get("ContactStatus") or "")
        wanted = document.desired.total
        applied = document.applied(str(element[spec.id_field]), status, sent, now)
        checked = wanted is not None and not overtaken and not document.desired.removed
        if checked and element.get("Total") != wanted:
            hint = f"Amazon's total is {wanted}, Xero arrived at {element.get('Total')}; correct the document in Xero"
            # Not what was wanted, so not applied: the next wish posts it again and compares again.
            return replace(applied, applied_digest="").failed("XERO_TOTAL_DIFFERS", hint)
        return applied

    def _as_refused(self, document: Document, meaning: Refusal, overtaken: bool) -> Document:
        now = self._clock.now()
        if document.desired.buyer and _of_a_namesake(document, meaning):
            if overtaken:
                return document.deferred(now, meaning.reason)
            return document.failed(meaning.reason, meaning.hint) if document.name_taken else document.told_apart(now)
        if meaning.gone if document.exists_in_xero else meaning.adopt:
            return document.unknown(now, meaning.reason)
        if overtaken:
            return document.deferred(now, meaning.reason)
        return document.failed(meaning.reason, meaning.hint)

    # --- looking ---------------------------------------------------------------------------------------------------

    def _look(self, kind: Kind, documents: Sequence[Document]) -> PostReport:
        """What Xero holds of documents whose outcome is unknown."""
        spec = IN_XERO[kind]
        if spec.owner:
            return self._look_inside(spec.inside, IN_XERO[spec.owner], documents)
        known_ids = [document.xero_id for document in documents if document.exists_in_xero]
        numbers = [document.desired.number for document in documents if not document.exists_in_xero]
        names = [str(d.desired.body["Name"]) for d in documents if d.reason == "CONTACT_NAME_TAKEN"]
        try:
            by_id = _by(self._found(spec.collection, spec.id_field, known_ids), spec.id_field)
            by_number = _by(self._found(spec.collection, spec.number_field, numbers), spec.number_field)
            by_name = _by(self._found(spec.collection, "Name", names), "Name")
        except XeroError as problem:
            return PostReport(stopped=self._pauses.pause_xero(problem, kind)[1])
        steps: list[tuple[Document, Step]] = []
        for document in documents:
            element = by_id.get(document.xero_id) if document.exists_in_xero else by_number.get(document.desired.number)
            if element is None and document.reason == "CONTACT_NAME_TAKEN":
                element = by_name.get(str(document.desired.body["Name"]))
            steps.append((document, partial(self._as_found, element=element)))
        return self._settle(steps)

    def _look_inside(self, inside: str, owner: KindInXero, documents: Sequence[Document]) -> PostReport:
        """The same for documents without a number: they are looked for in the document that they refer to."""
        keys = {document.key: document.desired.refers[inside] for document in documents}
        ids = {key: row.xero_id for key, row in self._store.documents(keys.values()).items() if row.exists_in_xero}
        try:
            held = self._found(owner.collection, owner.id_field, list(ids.values()))
        except XeroError as problem:
            return PostReport(stopped=self._pauses.pause_xero(problem)[1])
        by_id = _by(held, owner.id_field)
        return self._settle(
            [
                (document, partial(self._as_found_inside, owner=by_id.get(ids.get(keys[document.key], ""))))
                for document in documents
            ]
        )

    def _as_found_inside(self, document: Document, owner: Json | None) -> Document:
        """The payment after a look at what Xero holds of the document it pays."""
        now = self._clock.now()
        if owner is None:
            return document.failed("GONE_FROM_XERO", "the document it pays is not in Xero any more; correct it by hand")
        ours = payment_inside(document.desired, owner)
        if document.desired.removed:
            return self._nothing_to_remove(document) if ours is None else _paid(document)
        if ours is not None:
            return document.applied(str(ours["PaymentID"]), "AUTHORISED", document.desired.digest, now)
        still_open, amount = owner.get(IN_XERO[document.kind].open_field), document.desired.body["Amount"]
        if still_open is None or still_open < amount:
            hint = f"{amount} should be paid, Xero says {still_open} is still open; somebody else settled it in Xero"
            return document.failed("ALREADY_PAID", hint)
        return document.absent(now)

    def _found(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        return self._xero.find(collection, field, values) if values else []

    def _as_found(self, document: Document, element: Json | None) -> Document:
        """The document after a look; `element` is what Xero holds under its id or number, None when nothing."""
        now = self._clock.now()
        if element is None:
            if document.exists_in_xero:
                return document.failed("GONE_FROM_XERO", "the document is not in Xero any more; enter it by hand")
            if document.reason in ("NUMBER_TAKEN", "CONTACT_NUMBER_TAKEN", "CONTACT_NAME_TAKEN"):
                return document.failed(
                    document.reason, f"Xero says {document.desired.number} is taken but does not show it"
                )
            return document.absent(now)
        xero_id = str(element[IN_XERO[document.kind].id_field])
        status = str(element.get("Status") or element.get("ContactStatus") or "")
        if status == "ARCHIVED":
            return document.failed("CONTACT_ARCHIVED", refusal(("archived contact",)).hint)
        verdict = match(document.desired, element)
        as_wanted = Match.GONE if document.desired.removed else Match.SAME
        if document.reason == NOT_MODIFIABLE and verdict not in (as_wanted, Match.GONE):
            return document.failed(NOT_MODIFIABLE, f"Xero holds it as {status}; what was changed there is for a person")
        if document.desired.removed:
            if verdict is Match.FOREIGN:
                return self._nothing_to_remove(document)  # the number is somebody else's; ours never came to be
            if verdict is Match.GONE:
                return document.applied(xero_id, status, document.desired.digest, now)
            return document.found(xero_id, status, now)
        if verdict is Match.SAME:
            return document.applied(xero_id, status, document.desired.digest, now)
        if verdict is Match.OURS_BUT_DIFFERENT:
            return document.found(xero_id, status, now)
        if verdict is Match.GONE:
            hint = (
                f"{document.desired.number} was voided or deleted in Xero and its number stays taken; "
                "redrive to have it entered again with -R1 behind the number, or leave it"
            )
            return document.failed("NUMBER_OF_VOIDED", hint)
        hint = f"{document.desired.number} is the number of another document in Xero; rename that one, then redrive"
        return document.failed("NUMBER_TAKEN", hint)

    # --- rows ------------------------------------------------------------------------------------------------------

    def _settle(self, steps: Sequence[tuple[Document, Step]], wrote: bool = False) -> PostReport:
        """Saves each document's next state, and says it."""
        nexts = [step(document) for document, step in steps]
        failed = {after.key: after for after in nexts if after.state is State.FAILED}
        current = self._store.documents(failed)
        for key, after in failed.items():
            # What another worker has changed since is judged anew below: nobody is asked about what is no more.
            if current[key].generation == after.generation:
                self._dead_letter(after)
        saved = self._store.save_documents(nexts)
        rows = list(saved.values())
        for document, step in steps:
            if document.key not in saved:
                rows.extend(self._settle_contended(document, step, wrote))
        for row in rows:
            self._note(row)
        return PostReport(
            sum(row.state is State.APPLIED for row in rows), sum(row.state is State.FAILED for row in rows)
        )

    def _settle_contended(self, document: Document, step: Step, wrote: bool) -> Sequence[Document]:
        """The next state of a row that somebody else changed since we read it.

        Still our attempt, only something else is wanted by now: the step is made from the newer row. Another attempt:
        what it says stands, but if we may have written (`wrote`), Xero is looked at again.
        """
        for _ in range(_TRIES):
            current = self._store.documents([document.key])[document.key]
            if current.claim == document.claim and current.state is document.state:
                after = step(current)
            elif wrote and current.state is not State.UNKNOWN:
                after = current.unknown(self._clock.now(), "OVERTAKEN")
            else:
                return ()
            self._dead_letter(after)
            saved = self._store.save_documents([after])
            if saved:
                return tuple(saved.values())
        return ()

    def _dead_letter(self, document: Document) -> None:
        """For a failed document, before its row is saved: a crash between the two repeats it, never loses it."""
        order_id, work = document.desired.order_id, document.desired.work
        if document.state is State.FAILED and work and document.reason != REFERENCE_FAILED:
            body = json.dumps({"look_at": {"connection": self._connection, "order_id": order_id}})
            self._dead_letters[work].send(body, reason=document.reason, hint=document.hint, order_id=order_id)

    def _note(self, document: Document) -> None:
        self._journal.note(
            document.state,
            order_id=document.desired.order_id or None,
            document=document.key,
            reason=document.reason or None,
            hint=document.hint or None,
            xero_status=document.xero_status or None,
            total=str(document.desired.total) if document.desired.total is not None else None,
        )

    def _idempotency_key(self, documents: Iterable[Document]) -> str:
        """Names one attempt: the same documents at the same generations, never a later attempt at them."""
        text = "|".join([self._connection, *(f"{d.key}@{d.claim}" for d in documents)])
        return hashlib.sha256(text.encode()).hexdigest()


def _unchangeable(document: Document) -> Document:
    if document.desired.removed:
        return _paid(document)
    hint = f"Xero keeps a {document.kind} as it was entered; delete it in Xero and enter the new one by hand"
    return document.failed("NOT_CHANGEABLE", hint)


def _paid(document: Document) -> Document:
    """A payment that should go: money that moved is never taken back without a person."""
    if document.kind is Kind.REFUND:
        return document.failed("HAS_PAYMENTS", "the credit note should go and is refunded; correct it in Xero by hand")
    return document.failed("HAS_PAYMENTS", "the order is cancelled, its invoice paid; credit it in Xero by hand")


def _batches(documents: Sequence[tuple[Document, Json]]) -> Iterator[list[tuple[Document, Json]]]:
    """At most 50 documents and 3 MB each, in order."""
    batch: list[tuple[Document, Json]] = []
    size = 0
    for document, body in documents:
        length = len(canonical_json(body).encode()) + 2
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((document, body))
        size += length
    if batch:
        yield batch


def _body(document: Document, content: Mapping[str, Any], ids: Mapping[str, str]) -> Json:
    """What is sent: the content with the Xero ids of the document itself and of what it refers to."""
    spec = IN_XERO[document.kind]
    if document.desired.removed:
        draft = document.xero_status in ("DRAFT", "SUBMITTED")
        return {spec.id_field: document.xero_id, "Status": "DELETED" if draft else "VOIDED"}
    body: Json = dict(content)
    if document.name_taken:
        body["Name"] = told_apart(body["Name"], document.desired.number)
    for path, key in document.desired.refers.items():
        parent, _, field = path.partition(".")
        body[parent] = {field: ids[key]}
    if document.exists_in_xero:
        body[spec.id_field] = document.xero_id
    return body


def _of_a_namesake(document: Document, meaning: Refusal) -> bool:
    """Whether a buyer's contact is refused because of somebody else of that name, who is never taken for the buyer.

    That one may be archived, too; a contact that exists is itself the archived one.
    """
    archived = meaning.reason == "CONTACT_ARCHIVED" and not document.exists_in_xero
    return archived or meaning.reason == "CONTACT_NAME_TAKEN"


def _stands(document: Document) -> bool:
    """Whether others may refer to it: a customer as soon as it exists, a document only as it should be.

    A payment of an invoice that is still a draft would be refused.
    """
    if document.desired.removed or not document.exists_in_xero:
        return False
    return document.kind is Kind.CONTACT or document.state is State.APPLIED


def _by(elements: Sequence[Json], field: str) -> dict[str, Json]:
    return {str(element.get(field)): element for element in elements}
