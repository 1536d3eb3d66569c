"""What settles documents: payments, refunds of credit notes, and allocations of credit notes to invoices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .books import Allocation, Books, Document, NotFound, Payment, Refused, with_settlement
from .values import ZERO, read_date, read_number, read_object, read_text, to_cents

EXCEEDS_DUE = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
ALREADY_PAID = "The invoice you are trying to allocate to has already been paid off"
EXCEEDS_OUTSTANDING = "Credit Note cannot be allocated as amount is greater than amount outstanding"
WRONG_TYPE = "Credit Note cannot be allocated to an incorrect invoice type"

_PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}
_CREDITED_TYPE = {"ACCRECCREDIT": "ACCREC", "ACCPAYCREDIT": "ACCPAY"}


class Payments:
    def __init__(self, books: Books) -> None:
        self.books = books

    def create(self, element: dict[str, Any]) -> Payment:
        books = self.books
        document = self._document(element)
        problems: list[str] = []
        account = self._account(element, document, problems)
        amount = read_number(element.get("Amount"), "Amount") or ZERO
        day = read_date(element.get("Date"), "Date") or books.today()
        if amount <= 0:
            problems.append("Payment amount must be greater than zero")
        elif amount != to_cents(amount):
            problems.append("Payment amount must not have more than 2 decimal places")
        if amount > document.outstanding:
            problems.append(EXCEEDS_DUE)
        if document.status != "AUTHORISED":
            problems.append(NOT_AUTHORISED)
        if locked := books.lock_violation(day):
            problems.append(locked)
        reference = read_text(element.get("Reference"))
        if reference and len(reference) > 255:
            problems.append("The Reference must not be longer than 255 characters.")
        if problems:
            raise Refused(*problems)
        payment = Payment(
            id=books.new_id(),
            document_id=document.id,
            account_id=account["AccountID"],
            date=day,
            amount=to_cents(amount),
            currency_rate=read_number(element.get("CurrencyRate"), "CurrencyRate") or document.currency_rate,
            type=_PAYMENT_TYPES[document.type],
            status="AUTHORISED",
            updated=books.now(),
            reference=reference,
            is_reconciled=bool(element.get("IsReconciled", False)),
        )
        books.put(books.payments, payment.id, payment)
        earlier = books.payment_ids_by_document.get(document.id, ())
        books.put(books.payment_ids_by_document, document.id, (*earlier, payment.id))
        settled = replace(
            document,
            paid=document.paid + payment.amount,
            payments=(*document.payments, payment.id),
            updated=books.now(),
        )
        books.store(with_settlement(settled, books))
        return payment

    def delete(self, payment_id: str, element: dict[str, Any]) -> Payment:
        """The only change a payment allows; the document is open again by its amount."""
        books = self.books
        payment = books.payments.get(payment_id.lower())
        if payment is None:
            raise NotFound
        if read_text(element.get("Status")) != "DELETED":
            raise Refused("Payments can only be updated to a status of DELETED", record_id=payment.id)
        if payment.status == "DELETED":
            raise Refused("Payment not of valid status for modification", record_id=payment.id)
        if payment.is_reconciled:
            raise Refused("This payment has been reconciled and cannot be deleted", record_id=payment.id)
        if locked := books.lock_violation(payment.date):
            raise Refused(locked, record_id=payment.id)
        payment = replace(payment, status="DELETED", updated=books.now())
        books.put(books.payments, payment.id, payment)
        document = books.document(payment.document_id)
        reopened = replace(
            document,
            paid=document.paid - payment.amount,
            payments=tuple(one for one in document.payments if one != payment.id),
            updated=books.now(),
        )
        books.store(with_settlement(reopened, books))
        return payment

    def _document(self, element: dict[str, Any]) -> Document:
        books = self.books
        invoice = read_object(element.get("Invoice"), "Invoice")
        credit_note = read_object(element.get("CreditNote"), "CreditNote")
        if invoice_id := read_text(invoice.get("InvoiceID")):
            found = books.invoices.get(invoice_id.lower())
            missing = "An existing Invoice with the specified InvoiceID could not be found"
        elif number := read_text(invoice.get("InvoiceNumber")) or read_text(element.get("InvoiceNumber")):
            found = books.invoices.get(books.invoice_by_number.get(number.casefold(), ""))
            missing = "An existing Invoice with the specified InvoiceNumber could not be found"
        elif note_id := read_text(credit_note.get("CreditNoteID")):
            found = books.credit_notes.get(note_id.lower())
            missing = "An existing Credit Note with the specified CreditNoteID could not be found"
        elif number := read_text(credit_note.get("CreditNoteNumber")) or read_text(element.get("CreditNoteNumber")):
            found = books.credit_notes.get(books.credit_note_by_number.get(number.casefold(), ""))
            missing = "An existing Credit Note with the specified CreditNoteNumber could not be found"
        else:
            raise Refused("A payment must identify an Invoice, CreditNote, Prepayment or Overpayment")
        if found is None:
            raise Refused(missing)
        return found

    def _account(self, element: dict[str, Any], document: Document, problems: list[str]) -> dict[str, Any]:
        named = read_object(element.get("Account"), "Account")
        code = read_text(named.get("Code")) or read_text(element.get("Code"))
        account_id = read_text(named.get("AccountID"))
        account = self.books.account(code, account_id)
        if account is None:
            problems.append(
                "Account could not be found"
                if code or account_id
                else "A payment must specify an Account by Code or ID"
            )
            return {}
        if account.get("Status") != "ACTIVE":
            problems.append(f"Account code '{account.get('Code')}' has been archived, or has been deleted.")
        elif account["Type"] == "BANK":
            if account.get("CurrencyCode", self.books.base_currency) != document.currency:
                problems.append(
                    f"The bank account's currency {account.get('CurrencyCode')} "
                    f"does not match the document's currency {document.currency}"
                )
        elif not account.get("EnablePaymentsToAccount"):
            problems.append("The Account must be of type BANK or have EnablePaymentsToAccount set to accept payments")
        return account


class Allocations:
    def __init__(self, books: Books) -> None:
        self.books = books

    def create(self, credit_note_id: str, element: dict[str, Any]) -> Allocation:
        """Use a credit note against an open invoice of the same contact and currency."""
        books = self.books
        note = books.credit_notes.get(credit_note_id.lower())
        if note is None:
            raise NotFound
        named = read_object(element.get("Invoice"), "Invoice")
        invoice_id, number = read_text(named.get("InvoiceID")), read_text(named.get("InvoiceNumber"))
        invoice = books.invoices.get(
            (invoice_id or "").lower() or books.invoice_by_number.get((number or "").casefold(), "")
        )
        if invoice is None:
            raise Refused("An existing Invoice with the specified InvoiceID could not be found")
        amount = read_number(element.get("Amount"), "Amount") or ZERO
        problems = self._problems(note, invoice, amount)
        if problems:
            raise Refused(*problems)
        # Xero dates an allocation itself: the later of the two documents' dates.
        allocation = Allocation(books.new_id(), note.id, invoice.id, to_cents(amount), max(note.date, invoice.date))
        books.put(books.allocations, allocation.id, allocation)
        self._apply(note, allocation, allocation.amount)
        self._apply(invoice, allocation, allocation.amount)
        return allocation

    def delete(self, credit_note_id: str, allocation_id: str) -> Allocation:
        books = self.books
        allocation = books.allocations.get(allocation_id.lower())
        if allocation is None or allocation.credit_note_id != credit_note_id.lower():
            raise NotFound
        self._apply(books.credit_notes[allocation.credit_note_id], allocation, -allocation.amount)
        self._apply(books.invoices[allocation.invoice_id], allocation, -allocation.amount)
        books.remove(books.allocations, allocation.id)
        return allocation

    @staticmethod
    def _problems(note: Document, invoice: Document, amount: Any) -> list[str]:
        problems: list[str] = []
        if invoice.type != _CREDITED_TYPE[note.type]:
            problems.append(WRONG_TYPE)
        if invoice.status == "PAID":
            problems.append(ALREADY_PAID)
        elif invoice.status != "AUTHORISED":
            problems.append("Credit Note can only be allocated to an Authorised invoice")
        if not note.is_approved:
            problems.append("Only an Authorised Credit Note can be allocated")
        if amount <= 0:
            problems.append("The allocation amount must be greater than zero")
        if amount > invoice.outstanding:
            problems.append(EXCEEDS_OUTSTANDING)
        if amount > note.outstanding:
            problems.append("Credit Note cannot be allocated as amount is greater than the remaining credit")
        if note.contact_id != invoice.contact_id:
            problems.append("Credit Note cannot be allocated to an invoice of a different contact")
        if note.currency != invoice.currency:
            problems.append("Credit Note cannot be allocated to an invoice in a different currency")
        return problems

    def _apply(self, document: Document, allocation: Allocation, amount: Any) -> None:
        kept = tuple(one for one in document.allocations if one != allocation.id)
        changed = replace(
            document,
            credited=document.credited + amount,
            allocations=(*kept, allocation.id) if amount > 0 else kept,
            updated=self.books.now(),
        )
        self.books.store(with_settlement(changed, self.books))
