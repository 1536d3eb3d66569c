"""Payments of invoices and cash refunds of credit notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .books import Books
from .errors import NotFound, ValidationError
from .records import Document, Payment
from .values import ZERO, read_date, read_number, read_object, read_text, to_cents

EXCEEDS_DUE = "Payment amount exceeds the amount outstanding on this document"
ACCOUNTS_LOCKED = "Organisation accounts are locked on the specified payment date"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"

_PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}


class Payments:
    """Create and delete the payments of one organisation."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def create(self, element: dict[str, Any]) -> Payment:
        books = self.books
        document = self._find_document(element)
        problems: list[str] = []
        account = self._find_account(element, document, problems)
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
        if books.lock_violation(day):
            problems.append(ACCOUNTS_LOCKED)
        reference = read_text(element.get("Reference"))
        if reference and len(reference) > 255:
            problems.append("The Reference must not be longer than 255 characters.")
        if problems:
            raise ValidationError(*problems)
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
        existing_ids = books.payment_ids_by_document.get(document.id, ())
        books.put(books.payment_ids_by_document, document.id, (*existing_ids, payment.id))
        paid = replace(
            document,
            paid=document.paid + payment.amount,
            payments=(*document.payments, payment.id),
            updated=books.now(),
        )
        books.store(books.with_payment_status(paid))
        return payment

    def delete(self, payment_id: str, element: dict[str, Any]) -> Payment:
        """Delete a payment, the only change Xero allows; its amount becomes outstanding again."""
        books = self.books
        payment = books.payments.get(payment_id.lower())
        if payment is None:
            raise NotFound
        if read_text(element.get("Status")) != "DELETED":
            raise ValidationError("Payments can only be updated to a status of DELETED", record_id=payment.id)
        if payment.status == "DELETED":
            raise ValidationError("Payment not of valid status for modification", record_id=payment.id)
        if payment.is_reconciled:
            raise ValidationError("This payment has been reconciled and cannot be deleted", record_id=payment.id)
        if lock_violation := books.lock_violation(payment.date):
            raise ValidationError(lock_violation, record_id=payment.id)
        payment = replace(payment, status="DELETED", updated=books.now())
        books.put(books.payments, payment.id, payment)
        document = books.document(payment.document_id)
        reopened = replace(
            document,
            paid=document.paid - payment.amount,
            payments=tuple(payment_id for payment_id in document.payments if payment_id != payment.id),
            updated=books.now(),
        )
        books.store(books.with_payment_status(reopened))
        return payment

    def _find_document(self, element: dict[str, Any]) -> Document:
        books = self.books
        invoice = read_object(element.get("Invoice"), "Invoice")
        credit_note = read_object(element.get("CreditNote"), "CreditNote")
        if invoice_id := read_text(invoice.get("InvoiceID")):
            document = books.invoices.get(invoice_id.lower())
            message = "An existing Invoice with the specified InvoiceID could not be found"
        elif number := read_text(invoice.get("InvoiceNumber")) or read_text(element.get("InvoiceNumber")):
            document = books.invoices.get(books.invoice_by_number.get(number.casefold(), ""))
            message = "An existing Invoice with the specified InvoiceNumber could not be found"
        elif note_id := read_text(credit_note.get("CreditNoteID")):
            document = books.credit_notes.get(note_id.lower())
            message = "An existing Credit Note with the specified CreditNoteID could not be found"
        elif number := read_text(credit_note.get("CreditNoteNumber")) or read_text(element.get("CreditNoteNumber")):
            document = books.credit_notes.get(books.credit_note_by_number.get(number.casefold(), ""))
            message = "An existing Credit Note with the specified CreditNoteNumber could not be found"
        else:
            raise ValidationError("A payment must identify an Invoice, CreditNote, Prepayment or Overpayment")
        if document is None:
            raise ValidationError(message)
        return document

    def _find_account(self, element: dict[str, Any], document: Document, problems: list[str]) -> dict[str, Any]:
        reference = read_object(element.get("Account"), "Account")
        code = read_text(reference.get("Code")) or read_text(element.get("Code"))
        account_id = read_text(reference.get("AccountID"))
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
        elif document.currency != self.books.base_currency:
            # Accounts that are no bank accounts are in the base currency. The words are not Xero's.
            problems.append(f"The account's currency does not match the document's currency {document.currency}")
        return account
