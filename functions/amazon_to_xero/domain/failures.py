"""Every reason that the system gives for not booking something: code, meaning, remedy, and where a person finds it.

Three kinds, each a table: a *failure* needs a person, a *wait* ends by itself, *not invoiced* (of an order) and *not
booked* (of a finance transaction) are accounting rules.
The tables in the documentation are generated from these. A remedy that depends on the case (both amounts, the
setting to change) is written where the failure is raised; the one here is general.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """A failure that needs a person. Its entry in FAILURES says what it means and what to do."""

    # messages
    MALFORMED_MESSAGE = "MALFORMED_MESSAGE"
    UNEXPECTED_NOTIFICATION = "UNEXPECTED_NOTIFICATION"
    UNKNOWN_SELLER = "UNKNOWN_SELLER"
    CORRECTION_REFUSED = "CORRECTION_REFUSED"
    ORDER_TRANSACTIONS_REFUSED = "ORDER_TRANSACTIONS_REFUSED"
    # corrections by a person
    CORRECTION_UNUSABLE = "CORRECTION_UNUSABLE"
    # orders as Amazon states them
    ORDER_MALFORMED = "ORDER_MALFORMED"
    ORDER_UNREADABLE = "ORDER_UNREADABLE"
    ORDER_TOO_LARGE = "ORDER_TOO_LARGE"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_REFUSED = "ORDER_REFUSED"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    MIXED_CURRENCIES = "MIXED_CURRENCIES"
    ITEM_TOTAL_DIFFERS = "ITEM_TOTAL_DIFFERS"
    ORDER_TOTAL_DIFFERS = "ORDER_TOTAL_DIFFERS"
    SALE_BELOW_ZERO = "SALE_BELOW_ZERO"
    DETAIL_DIFFERS = "DETAIL_DIFFERS"
    PROCEEDS_MISSING = "PROCEEDS_MISSING"
    SHIPPING_DAY_UNKNOWN = "SHIPPING_DAY_UNKNOWN"
    TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
    # finance transactions as Amazon states them
    TRANSACTION_MALFORMED = "TRANSACTION_MALFORMED"
    TRANSACTION_UNREADABLE = "TRANSACTION_UNREADABLE"
    TRANSACTION_TOTAL_DIFFERS = "TRANSACTION_TOTAL_DIFFERS"
    TRANSACTION_TYPE_UNKNOWN = "TRANSACTION_TYPE_UNKNOWN"
    MARKETPLACE_TAX_DIFFERS = "MARKETPLACE_TAX_DIFFERS"
    CHARGE_TYPE_UNKNOWN = "CHARGE_TYPE_UNKNOWN"
    REFUND_REVERSED = "REFUND_REVERSED"
    REFUND_WITHOUT_SALE = "REFUND_WITHOUT_SALE"
    REFUND_BEFORE_START = "REFUND_BEFORE_START"
    REFUND_ITEM_UNKNOWN = "REFUND_ITEM_UNKNOWN"
    REFUND_CURRENCY_DIFFERS = "REFUND_CURRENCY_DIFFERS"
    REFUND_LIABILITY_DIFFERS = "REFUND_LIABILITY_DIFFERS"
    TRANSACTION_TOO_LARGE = "TRANSACTION_TOO_LARGE"
    # what Amazon charged for a sale
    CHARGE_DIFFERS = "CHARGE_DIFFERS"
    CHARGE_MISSING = "CHARGE_MISSING"
    CHARGE_WITHOUT_SALE = "CHARGE_WITHOUT_SALE"
    # settings
    UNKNOWN_MARKETPLACE = "UNKNOWN_MARKETPLACE"
    ACCOUNT_UNMAPPED = "ACCOUNT_UNMAPPED"
    TAX_UNMAPPED = "TAX_UNMAPPED"
    TAX_UNMATCHED = "TAX_UNMATCHED"
    TAX_MODE_MISMATCH = "TAX_MODE_MISMATCH"
    TAX_MODE_CONFLICT = "TAX_MODE_CONFLICT"
    TAX_OWED_BY_MARKETPLACE = "TAX_OWED_BY_MARKETPLACE"
    TAX_LIABILITY_UNCLEAR = "TAX_LIABILITY_UNCLEAR"
    ROUNDING_TAXED = "ROUNDING_TAXED"
    # the organisation in Xero
    TAX_RATE_UNUSABLE = "TAX_RATE_UNUSABLE"
    TAX_TYPE_UNUSABLE = "TAX_TYPE_UNUSABLE"
    TAX_DIFFERS = "TAX_DIFFERS"
    TAX_VARIANCE = "TAX_VARIANCE"
    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    ACCOUNT_ARCHIVED = "ACCOUNT_ARCHIVED"
    TRACKING_UNKNOWN = "TRACKING_UNKNOWN"
    ITEM_UNUSABLE = "ITEM_UNUSABLE"
    BRANDING_THEME_UNKNOWN = "BRANDING_THEME_UNKNOWN"
    CLEARING_UNUSABLE = "CLEARING_UNUSABLE"
    CURRENCY_NOT_SUBSCRIBED = "CURRENCY_NOT_SUBSCRIBED"
    PERIOD_LOCKED = "PERIOD_LOCKED"
    PLAN_LIMIT = "PLAN_LIMIT"
    # documents and contacts in Xero
    NUMBER_TAKEN = "NUMBER_TAKEN"
    VOIDED_IN_XERO = "VOIDED_IN_XERO"
    NOT_IN_XERO = "NOT_IN_XERO"
    NOT_MODIFIABLE = "NOT_MODIFIABLE"
    NOT_CHANGEABLE = "NOT_CHANGEABLE"
    HAS_PAYMENTS = "HAS_PAYMENTS"
    ALREADY_PAID = "ALREADY_PAID"
    APPROVED_TOTAL_DIFFERS = "APPROVED_TOTAL_DIFFERS"
    CHANGED_IN_XERO = "CHANGED_IN_XERO"
    XERO_TOTAL_DIFFERS = "XERO_TOTAL_DIFFERS"
    LINE_TOTAL_DIFFERS = "LINE_TOTAL_DIFFERS"
    CONTACT_NUMBER_TAKEN = "CONTACT_NUMBER_TAKEN"
    CONTACT_NAME_TAKEN = "CONTACT_NAME_TAKEN"
    CONTACT_ARCHIVED = "CONTACT_ARCHIVED"
    CONTACT_NOT_FOUND = "CONTACT_NOT_FOUND"
    BUYER_DATA_UNAVAILABLE = "BUYER_DATA_UNAVAILABLE"
    REFERENCE_FAILED = "REFERENCE_FAILED"
    REFERENCE_MISSING = "REFERENCE_MISSING"
    XERO_REFUSED = "XERO_REFUSED"
    XERO_ERROR = "XERO_ERROR"
    OUTCOME_UNRESOLVED = "OUTCOME_UNRESOLVED"
    # connections
    XERO_REFUSES_EVERY_CALL = "XERO_REFUSES_EVERY_CALL"
    AMAZON_NOT_AUTHORISED = "AMAZON_NOT_AUTHORISED"
    AMAZON_OPERATION_REFUSED = "AMAZON_OPERATION_REFUSED"
    DAY_LIST_NOT_ATTACHED = "DAY_LIST_NOT_ATTACHED"
    XERO_NOT_AUTHORISED = "XERO_NOT_AUTHORISED"
    XERO_OPERATION_REFUSED = "XERO_OPERATION_REFUSED"
    XERO_TENANT_CHANGED = "XERO_TENANT_CHANGED"
    XERO_TOKENS_UNREADABLE = "XERO_TOKENS_UNREADABLE"
    SETTINGS_UNUSABLE = "SETTINGS_UNUSABLE"
    SECRET_UNREADABLE = "SECRET_UNREADABLE"  # noqa: S105  # a code
    ROW_OF_NEWER_VERSION = "ROW_OF_NEWER_VERSION"
    UNFORESEEN = "UNFORESEEN"
    # reported, nothing is held back
    STOCK_MALFORMED = "STOCK_MALFORMED"
    STOCK_SWEEP_INCOMPLETE = "STOCK_SWEEP_INCOMPLETE"
    STOCK_NOT_STATED = "STOCK_NOT_STATED"
    STOCK_POOL_PROPOSED = "STOCK_POOL_PROPOSED"
    STOCK_POOL_DOUBTED = "STOCK_POOL_DOUBTED"
    RECONCILIATION_INCOMPLETE = "RECONCILIATION_INCOMPLETE"
    WORKLIST_NOT_CHANGED = "WORKLIST_NOT_CHANGED"
    MOVEMENTS_NOT_COUNTED = "MOVEMENTS_NOT_COUNTED"
    CHARGE_TYPE_SUSPENDED = "CHARGE_TYPE_SUSPENDED"
    VERSION_WENT_BACK = "VERSION_WENT_BACK"
    BUYER_UNKNOWN = "BUYER_UNKNOWN"
    CONTACT_MERGED = "CONTACT_MERGED"
    CONTACT_REPLACED = "CONTACT_REPLACED"
    NO_CLEARING = "NO_CLEARING"
    NO_ROUNDING_ACCOUNT = "NO_ROUNDING_ACCOUNT"
    LOCKED_BEFORE_START = "LOCKED_BEFORE_START"
    NO_PROPOSAL = "NO_PROPOSAL"
    NO_RATE = "NO_RATE"
    SEVERAL_RATES = "SEVERAL_RATES"


class WaitReason(StrEnum):
    """Why work waits. It continues by itself, without a person."""

    AMAZON_PAUSED = "AMAZON_PAUSED"
    AMAZON_QUOTA = "AMAZON_QUOTA"
    AMAZON_UNAVAILABLE = "AMAZON_UNAVAILABLE"
    WAITING_FOR_PAGES = "WAITING_FOR_PAGES"
    OLDER_VERSION = "OLDER_VERSION"
    PROCEEDS_MISSING = "PROCEEDS_MISSING"
    SWEEP_TAKEN_OVER = "SWEEP_TAKEN_OVER"
    OUT_OF_TIME = "OUT_OF_TIME"
    XERO_PAUSED = "XERO_PAUSED"
    XERO_UNAVAILABLE = "XERO_UNAVAILABLE"
    XERO_MINUTE_LIMIT = "XERO_MINUTE_LIMIT"
    XERO_APPMINUTE_LIMIT = "XERO_APPMINUTE_LIMIT"
    XERO_DAY_LIMIT = "XERO_DAY_LIMIT"
    XERO_SHARE_LIMIT = "XERO_SHARE_LIMIT"
    XERO_CONCURRENT_LIMIT = "XERO_CONCURRENT_LIMIT"
    BATCH_REFUSED = "BATCH_REFUSED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    LOOKUP_UNANSWERED = "LOOKUP_UNANSWERED"
    WAITING_FOR_OUTCOME = "WAITING_FOR_OUTCOME"
    WAITING_FOR_SALE = "WAITING_FOR_SALE"
    WAITING_FOR_CHARGE = "WAITING_FOR_CHARGE"
    WAITING_FOR_SHIPPING_DAY = "WAITING_FOR_SHIPPING_DAY"
    WAITING_FOR_LIABILITY = "WAITING_FOR_LIABILITY"
    WAITING_FOR_REFERENCE = "WAITING_FOR_REFERENCE"
    WAITING_FOR_CONTACT = "WAITING_FOR_CONTACT"
    WAITING_FOR_DATE = "WAITING_FOR_DATE"
    CHECKED_BEFORE_CHANGE = "CHECKED_BEFORE_CHANGE"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    EVENTS_NOT_PUBLISHED = "EVENTS_NOT_PUBLISHED"
    DEAD_LETTER_NOT_SENT = "DEAD_LETTER_NOT_SENT"
    SETTINGS_UNAVAILABLE = "SETTINGS_UNAVAILABLE"
    ALERTS_NOT_SENT = "ALERTS_NOT_SENT"
    CURRENT_ORDERS_FIRST = "CURRENT_ORDERS_FIRST"
    BACKFILL_SHARE_USED = "BACKFILL_SHARE_USED"
    BACKFILL_STEP_DONE = "BACKFILL_STEP_DONE"


class NotInvoicedReason(StrEnum):
    """Which accounting rule says that an order has no documents."""

    BEFORE_START = "BEFORE_START"
    MULTI_CHANNEL = "MULTI_CHANNEL"
    IGNORED_MARKETPLACE = "IGNORED_MARKETPLACE"
    ORDER_PENDING = "ORDER_PENDING"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    UNFULFILLABLE = "UNFULFILLABLE"
    REPLACEMENT = "REPLACEMENT"
    ZERO_VALUE = "ZERO_VALUE"
    SKIPPED = "SKIPPED"


class NotBookedReason(StrEnum):
    """Which accounting rule says that a finance transaction has no documents."""

    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    NOT_A_REFUND = "NOT_A_REFUND"
    NOTHING_REFUNDED = "NOTHING_REFUNDED"
    SALE_NOT_INVOICED = "SALE_NOT_INVOICED"
    ALREADY_CREDITED = "ALREADY_CREDITED"
    CONFIRMS_A_SALE = "CONFIRMS_A_SALE"
    SKIPPED = "SKIPPED"


class Audience(StrEnum):
    """Where a person finds a failure."""

    MESSAGE = "dead-letter queue of the queue that the message came from"
    WORK = "dead-letter queue of the function whose work it is"
    CONNECTION = "log and metrics; the connection is paused"
    REPORT = "log and metrics; nothing is held back"


@dataclass(frozen=True)
class FailureInfo:
    """What a code means, what to do, and where a person finds it."""

    meaning: str
    remedy: str
    audience: Audience = Audience.WORK


class Failure(Exception):
    """Something that cannot be booked as it is and needs a person.

    code: the entry of FAILURES.
    remedy: an instruction for the person in this case. It never contains buyer data.
    """

    def __init__(self, code: FailureCode, remedy: str) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy


@dataclass(frozen=True)
class Finding:
    """A failure that orders will meet, found before there is one."""

    code: FailureCode
    remedy: str


_C, _A = FailureCode, Audience
_SELLER_CENTRAL = (
    "Check the order in Seller Central and enter it in Xero manually, then take it off the list with correct --skip."
)
_TRANSACTION_VIEW = (
    "Check the transaction in Seller Central (Payments > Transaction View) and enter the refund in Xero manually, then "
    "take it off the list with correct --skip."
)
_REFUND_OR_CHARGE = (
    "Check the transaction in Seller Central (Payments > Transaction View). Enter a refund in Xero manually; compare a "
    "charge with the order's documents in Xero. Then take it off the list with replay close."
)
_COMPARE = (
    "Compare the order in Seller Central with both amounts in the message, then reprocess it or enter it manually."
)

FAILURES: Mapping[FailureCode, FailureInfo] = {
    _C.MALFORMED_MESSAGE: FailureInfo(
        "The message is not JSON, or a field is missing.",
        "Send it again with a corrected body, or leave that; then delete it with replay discard.",
        _A.MESSAGE,
    ),
    _C.UNEXPECTED_NOTIFICATION: FailureInfo(
        "The queue does not take notifications of this type.",
        "Subscribe that type to its own queue, then delete the message with replay discard.",
        _A.MESSAGE,
    ),
    _C.UNKNOWN_SELLER: FailureInfo(
        "No connection has this seller.", "Connect the seller, then redrive the message.", _A.MESSAGE
    ),
    _C.CORRECTION_REFUSED: FailureInfo(
        "A correction by a person has a value that cannot be, withdraws one that does not apply, arrived after a later "
        "one that it would replace, or is of a refund whose credit note Xero holds already.",
        "Enter the correction anew as the message says, then delete the message with replay discard.",
        _A.MESSAGE,
    ),
    _C.ORDER_TRANSACTIONS_REFUSED: FailureInfo(
        "Amazon does not return the transactions of an order that a person asked to read.",
        "Check in Seller Central that the order is this seller's and that the application has the role Finance and "
        "Accounting, then resync the order, or enter its refunds in Xero manually. Then delete the message with replay "
        "close.",
        _A.MESSAGE,
    ),
    _C.CORRECTION_UNUSABLE: FailureInfo(
        "A correction by a person cannot be applied to the order or refund as it is now.",
        "Withdraw the correction that the message names, or enter another one.",
    ),
    _C.ORDER_MALFORMED: FailureInfo("Amazon's order does not have the documented shape.", _SELLER_CENTRAL),
    _C.ORDER_UNREADABLE: FailureInfo(
        "The code cannot process this order.", f"{_SELLER_CENTRAL} Report the order's shape as a defect."
    ),
    _C.ORDER_TOO_LARGE: FailureInfo("The order does not fit into one row of the table.", _SELLER_CENTRAL),
    _C.ORDER_NOT_FOUND: FailureInfo(
        "Amazon does not know this order for this seller.",
        "Check the order id and amazon.region in the connection's settings.",
    ),
    _C.ORDER_REFUSED: FailureInfo(
        "Amazon has refused to return this order for most of a day, and returned others.",
        "Check in Seller Central that the order is this seller's and that the application has the role that getOrder "
        "needs, then reprocess the order or enter it in Xero manually.",
    ),
    _C.UNKNOWN_STATUS: FailureInfo("Amazon reports a fulfilment status that is not documented.", _SELLER_CENTRAL),
    _C.MIXED_CURRENCIES: FailureInfo("The order has amounts in more than one currency.", _SELLER_CENTRAL),
    _C.ITEM_TOTAL_DIFFERS: FailureInfo("The parts of an item do not add up to Amazon's total for it.", _COMPARE),
    _C.ORDER_TOTAL_DIFFERS: FailureInfo("The items do not add up to Amazon's grand total.", _COMPARE),
    _C.SALE_BELOW_ZERO: FailureInfo(
        "The discounts of an order, or of one of its shipments, exceed its prices: no invoice is below zero.",
        "Check the order in Seller Central and enter all of it in Xero manually, then take it off the list with "
        "correct --skip, which takes back its invoices so far.",
    ),
    _C.DETAIL_DIFFERS: FailureInfo("The details of a charge do not add up to Amazon's subtotal.", _COMPARE),
    _C.PROCEEDS_MISSING: FailureInfo("Amazon has given no amounts for this order for a day.", _SELLER_CENTRAL),
    _C.SHIPPING_DAY_UNKNOWN: FailureInfo(
        "Amazon does not state when the order shipped, and no charge of it is known that would.",
        "Find the day in Seller Central (Payments > Transaction View) and correct the order with --date. Where each of "
        "several shipments has an invoice of its own, name the one that the message names with --shipment. If the "
        "application lacks the role Finance and Accounting, add it and reprocess the order.",
    ),
    _C.TOO_MANY_DECIMALS: FailureInfo(
        "Amazon's total has more decimals than Xero keeps.", "Enter the order in Xero manually."
    ),
    _C.TRANSACTION_MALFORMED: FailureInfo(
        "Amazon's finance transaction does not have the documented shape.", _REFUND_OR_CHARGE
    ),
    _C.TRANSACTION_UNREADABLE: FailureInfo(
        "The code cannot process this transaction.", f"{_REFUND_OR_CHARGE} Report the transaction's shape as a defect."
    ),
    _C.TRANSACTION_TOTAL_DIFFERS: FailureInfo(
        "The amounts of a transaction do not add up to Amazon's total, or those of its items differ from its own.",
        _REFUND_OR_CHARGE,
    ),
    _C.TRANSACTION_TYPE_UNKNOWN: FailureInfo(
        "The transaction moves money for an order and is of a type that is not a refund.", _TRANSACTION_VIEW
    ),
    _C.MARKETPLACE_TAX_DIFFERS: FailureInfo(
        "The tax of a refund that the marketplace collected is not what the marketplace withholds.", _TRANSACTION_VIEW
    ),
    _C.CHARGE_TYPE_UNKNOWN: FailureInfo(
        "A refund has an amount of a type that is not known, and no suspense account is set.",
        "Set accounts.suspense to have such amounts entered there, then reprocess the transaction; or enter the "
        "refund in Xero manually.",
    ),
    _C.REFUND_REVERSED: FailureInfo(
        "The transaction takes money from the buyer, so it is not a refund.",
        "Enter the reversal in Xero manually, then take it off the list with correct --skip.",
    ),
    _C.REFUND_WITHOUT_SALE: FailureInfo(
        "The order of a refund has no approved invoice in Xero: for three days, or 30 where that is on its way.",
        "Correct what the message says about the order: the refund is entered within the hour after its sale. Or enter "
        "the refund in Xero manually, then take it off the list with correct --skip.",
    ),
    _C.REFUND_BEFORE_START: FailureInfo(
        "The refund belongs to a sale from before start, which is not entered here.",
        "Enter the credit note in Xero manually, on the accounts and tax rates of the original sale, then take it off "
        "the list with correct --skip; or set refunds.before_start to standalone, then reprocess the transaction.",
    ),
    _C.REFUND_ITEM_UNKNOWN: FailureInfo(
        "The order's invoice has no line for the SKU that the refund names.",
        "Enter the credit note in Xero manually, then take it off the list with correct --skip.",
    ),
    _C.REFUND_CURRENCY_DIFFERS: FailureInfo(
        "The refund is in another currency than the sale.",
        "Enter the credit note in Xero manually, then take it off the list with correct --skip.",
    ),
    _C.REFUND_LIABILITY_DIFFERS: FailureInfo(
        "The seller gives back a tax that the sale leaves out as the marketplace's, or the marketplace gives back one "
        "that the sale states as the seller's.",
        "Find out in Seller Central who remits the tax; the message has both amounts. Correct the refund, or the "
        "order, with --tax-type and reprocess the transaction; or enter the credit note in Xero manually, then take it "
        "off the list with correct --skip.",
    ),
    _C.TRANSACTION_TOO_LARGE: FailureInfo("The transaction does not fit into one row of the table.", _TRANSACTION_VIEW),
    _C.CHARGE_DIFFERS: FailureInfo(
        "What Amazon charged the buyer is not what the order's documents state. Nothing is corrected by itself.",
        "Compare the order's charges in Seller Central (Payments > Transaction View) with its documents in Xero; the "
        "message has both numbers. Correct what is wrong, then reprocess the confirmation, or take it off the list "
        "with replay close.",
    ),
    _C.CHARGE_MISSING: FailureInfo(
        "For three days after the shipment Amazon has not charged the buyer.",
        "Check in Seller Central whether the buyer was charged. It is confirmed by itself if the charge comes later; "
        "if none comes, take it off the list with replay close.",
    ),
    _C.CHARGE_WITHOUT_SALE: FailureInfo(
        "Amazon charged the buyer, and for three days the order has had no approved invoice.",
        "Correct what the message says about the order, then reprocess the order; or enter the sale in Xero manually.",
    ),
    _C.UNKNOWN_MARKETPLACE: FailureInfo(
        "The order's marketplace is not in the settings.",
        "Add it to amazon.marketplaces with its accounts and tax rules, then reprocess the order; or add it to "
        "amazon.ignored_marketplaces.",
    ),
    _C.ACCOUNT_UNMAPPED: FailureInfo(
        "No account is set for a type of charge.", "Set the account in accounts, then reprocess the order."
    ),
    _C.TAX_UNMAPPED: FailureInfo("No tax rule matches an item.", "Add a rule to tax.rules, then reprocess the order."),
    _C.TAX_UNMATCHED: FailureInfo(
        "No tax rate of the organisation explains Amazon's tax, or more than one does.",
        "Add the rule that the message names to tax.rules, then reprocess the order.",
    ),
    _C.TAX_MODE_MISMATCH: FailureInfo(
        "Amazon adds the tax to the prices and the tax rule says otherwise.",
        "Set amounts: exclusive in the tax rule, then reprocess the order.",
    ),
    _C.TAX_MODE_CONFLICT: FailureInfo(
        "Tax rules of one order contradict each other, or a rule says amounts: none with a rate above zero.",
        "Correct tax.rules, then reprocess the order.",
    ),
    _C.TAX_OWED_BY_MARKETPLACE: FailureInfo(
        "The marketplace owes the tax and the tax rule would book it as the seller's.",
        "Add a rule with responsible: marketplace before it, then reprocess the order.",
    ),
    _C.TAX_LIABILITY_UNCLEAR: FailureInfo(
        "Amazon does not say clearly whether the seller or the marketplace owes the tax, or how much of a price is the "
        "marketplace's tax.",
        "Find out in Seller Central who remits the tax, add Amazon's word to tax.liabilities and reprocess the order; "
        "or, if the seller owes it, correct the order with --as-it-is.",
    ),
    _C.ROUNDING_TAXED: FailureInfo(
        "tax.rounding_tax_type has a rate above zero.", "Name a tax type without tax, then reprocess the order."
    ),
    _C.TAX_RATE_UNUSABLE: FailureInfo(
        "The organisation has no active tax rate of this type for sales.",
        "Correct the rate in Xero or tax.rules in the settings, then reprocess the order.",
    ),
    _C.TAX_TYPE_UNUSABLE: FailureInfo(
        "Xero does not have this tax type, or does not allow it on this account.",
        "Correct tax.rules or tax.rounding_tax_type, then reprocess the order.",
    ),
    _C.TAX_DIFFERS: FailureInfo(
        "Xero would compute another total than Amazon, by more than rounding.",
        "Check the rate of the tax type in tax.rules, then reprocess the order.",
    ),
    _C.TAX_VARIANCE: FailureInfo(
        "Amazon's tax on an item differs from what Xero computes with the rule's rate, by more than rounding.",
        "Correct tax.rules, then reprocess the order; or correct the order with --tax-type, or with --as-it-is to have "
        "it entered all the same. For all such orders set tax.when_different to draft or book.",
    ),
    _C.ACCOUNT_UNKNOWN: FailureInfo(
        "The organisation does not have this account.", "Add the account in Xero or correct accounts in the settings."
    ),
    _C.ACCOUNT_ARCHIVED: FailureInfo(
        "The account is archived in Xero.", "Restore the account in Xero or correct accounts in the settings."
    ),
    _C.TRACKING_UNKNOWN: FailureInfo(
        "The organisation has no such tracking category or option, or it is archived.",
        "Add it in Xero or correct accounts.rules in the settings, then reprocess the order.",
    ),
    _C.ITEM_UNUSABLE: FailureInfo(
        "The organisation has no such item, or Xero tracks its stock.",
        "Name an item whose stock is not tracked in accounts.rules of the settings, then reprocess the order.",
    ),
    _C.BRANDING_THEME_UNKNOWN: FailureInfo(
        "The organisation has no such branding theme.",
        "Add it in Xero or correct invoices.branding_theme in the settings, then reprocess the order.",
    ),
    _C.CLEARING_UNUSABLE: FailureInfo(
        "The clearing account cannot take payments in this currency.",
        "Correct the account in Xero or accounts.clearing in the settings.",
    ),
    _C.CURRENCY_NOT_SUBSCRIBED: FailureInfo(
        "The organisation does not use this currency.", "Add the currency in Xero, then reprocess the order."
    ),
    _C.PERIOD_LOCKED: FailureInfo(
        "The date lies in a period that is locked in Xero.",
        "Move Xero's lock date or set invoices.lock_dates to next_open_day, then reprocess the order.",
    ),
    _C.PLAN_LIMIT: FailureInfo(
        "The organisation's Xero plan does not allow more invoices.", "Upgrade the plan, then reprocess the order."
    ),
    _C.NUMBER_TAKEN: FailureInfo(
        "Another document in Xero has this number.", "Rename that document in Xero, then reprocess the order."
    ),
    _C.VOIDED_IN_XERO: FailureInfo(
        "Somebody voided or deleted the document in Xero.",
        "Reprocess the order to have it entered again under a -R1 number, or take it off the list with replay close.",
    ),
    _C.NOT_IN_XERO: FailureInfo(
        "Xero no longer has the document.",
        "Enter the document in Xero manually, then take it off the list with replay close.",
    ),
    _C.NOT_MODIFIABLE: FailureInfo(
        "Somebody changed the document in Xero: it takes no more changes, or has a line without an amount.",
        "Correct the document in Xero as the message says.",
    ),
    _C.NOT_CHANGEABLE: FailureInfo(
        "A payment or allocation exists in Xero and cannot be changed.",
        "Delete it in Xero and enter the new one manually, then take it off the list with replay close.",
    ),
    _C.HAS_PAYMENTS: FailureInfo(
        "The document has payments or credits in Xero, so it cannot be changed or voided.",
        "Correct the document in Xero manually.",
    ),
    _C.ALREADY_PAID: FailureInfo(
        "Somebody already paid or credited the document in Xero.", "Check the document's payments in Xero."
    ),
    _C.APPROVED_TOTAL_DIFFERS: FailureInfo(
        "A person has approved the invoice in Xero with another total than Amazon's.",
        "Correct the invoice in Xero, or pay it in Xero manually.",
    ),
    _C.CHANGED_IN_XERO: FailureInfo(
        "Somebody changed a document of the order in Xero, and nobody has decided about it. Nothing else of the order "
        "is entered meanwhile.",
        "List the change with drift list, then decide with drift accept or drift restore; the order then continues.",
    ),
    _C.XERO_TOTAL_DIFFERS: FailureInfo(
        "The document exists in Xero with another total than Amazon's.", "Correct the document in Xero."
    ),
    _C.LINE_TOTAL_DIFFERS: FailureInfo("Xero computes another amount for a line.", "Report this as a defect."),
    _C.CONTACT_NUMBER_TAKEN: FailureInfo(
        "Another contact in Xero has this contact number.", "Change the contact number in Xero, then reprocess."
    ),
    _C.CONTACT_NAME_TAKEN: FailureInfo(
        "Another contact in Xero has this name.", "Rename that contact in Xero or set contacts.names, then reprocess."
    ),
    _C.CONTACT_ARCHIVED: FailureInfo(
        "Xero says again and again that the contact is archived, although it shows an active one.",
        "Check the contact in Xero and restore it, then reprocess the order.",
    ),
    _C.CONTACT_NOT_FOUND: FailureInfo(
        "Xero says again and again that it does not have the contact, although it shows it.",
        "Check the contact in Xero, then reprocess the order.",
    ),
    _C.BUYER_DATA_UNAVAILABLE: FailureInfo(
        "Amazon has not returned the buyer's data for a day.",
        "Reprocess the order, or set contacts.policy to marketplace first.",
    ),
    _C.REFERENCE_FAILED: FailureInfo(
        "A document that this one refers to failed.", "Correct that document; this one follows.", _A.REPORT
    ),
    _C.XERO_REFUSED: FailureInfo(
        "Xero refused the document for a reason that is not in this table.",
        "Read Xero's message, correct the cause, then reprocess the order.",
    ),
    _C.REFERENCE_MISSING: FailureInfo(
        "A document that this one refers to was never requested.", "Reprocess the order."
    ),
    _C.XERO_ERROR: FailureInfo(
        "Xero answers with an error of its own, or not at all, whenever it is sent this document.",
        "Enter the document in Xero manually, and report Xero's answer.",
    ),
    _C.OUTCOME_UNRESOLVED: FailureInfo(
        "Xero does not answer the look-up of this document, so it is not known whether Xero holds it.",
        "Search for its number in Xero, then reprocess the order: it is looked up again before anything is written.",
    ),
    _C.XERO_REFUSES_EVERY_CALL: FailureInfo(
        "Xero refuses every call of the connection.", "Read Xero's message, then run connect xero.", _A.CONNECTION
    ),
    _C.AMAZON_NOT_AUTHORISED: FailureInfo(
        "Amazon refuses the connection's authorisation.",
        "Authorise the application again in Seller Central, or rotate its client secret where doctor says that it has "
        "ended. Then run connect amazon and enter what is new.",
        _A.CONNECTION,
    ),
    _C.AMAZON_OPERATION_REFUSED: FailureInfo(
        "Amazon refuses one operation, or the search for one marketplace, and not the whole connection.",
        "Give the application the role that the operation needs and authorise it again in Seller Central: for orders "
        "the role Inventory and Order Tracking, for transactions Finance and Accounting, for stock Amazon Fulfillment.",
        _A.CONNECTION,
    ),
    _C.DAY_LIST_NOT_ATTACHED: FailureInfo(
        "The list of orders cannot be attached to the invoice or credit note of a day. The books are right without it.",
        "Correct what the message names, such as the scope accounting.attachments, then reprocess the day.",
    ),
    _C.XERO_NOT_AUTHORISED: FailureInfo(
        "Xero refuses the connection's authorisation.",
        "Authorise the app in Xero again: run connect xero.",
        _A.CONNECTION,
    ),
    _C.XERO_OPERATION_REFUSED: FailureInfo(
        "Xero refuses one kind of document, such as payments, and not the whole connection.",
        "Give the Xero app the scope that the message names and authorise it in Xero again: run connect xero.",
        _A.CONNECTION,
    ),
    _C.XERO_TENANT_CHANGED: FailureInfo(
        "The settings name another Xero organisation than the one that the connection has posted to.",
        "Put the earlier xero.tenant_id back, or disconnect it and connect the other organisation under another name.",
        _A.CONNECTION,
    ),
    _C.XERO_TOKENS_UNREADABLE: FailureInfo(
        "The key in AWS KMS with which Xero's tokens are stored is refused, or is another one.",
        "Enable the stack's key TokenKey and allow the functions to use it. If it is lost, authorise the app in Xero "
        "again: run connect xero.",
        _A.CONNECTION,
    ),
    _C.SETTINGS_UNUSABLE: FailureInfo(
        "The connection's settings or secret are not valid.",
        "Correct the field that the message names and run make connect.",
        _A.CONNECTION,
    ),
    _C.SECRET_UNREADABLE: FailureInfo(
        "The connection's secret cannot be read.", "Run connect xero, then connect amazon.", _A.CONNECTION
    ),
    _C.ROW_OF_NEWER_VERSION: FailureInfo(
        "An earlier version was deployed, and a newer one has written a row in a shape that it cannot read.",
        "Deploy the newer version again.",
        _A.CONNECTION,
    ),
    _C.UNFORESEEN: FailureInfo(
        "The code raised an exception that it does not handle.",
        "Report the type and place in the message as a defect.",
        _A.REPORT,
    ),
    _C.VERSION_WENT_BACK: FailureInfo(
        "Amazon has stated an older version of the order than the recorded one for an hour; the older one is recorded.",
        "Compare the order in Seller Central with its documents in Xero.",
        _A.REPORT,
    ),
    _C.BUYER_UNKNOWN: FailureInfo(
        "Amazon does not say who the buyer is, so the order is invoiced to the marketplace's customer.",
        "Add a role for buyer data to the application if you want one contact for each buyer.",
        _A.REPORT,
    ),
    _C.CONTACT_MERGED: FailureInfo(
        "Somebody merged the contact into another one in Xero; later documents go to that one.",
        "Check in Xero that the contact it was merged into is the right customer.",
        _A.REPORT,
    ),
    _C.CONTACT_REPLACED: FailureInfo(
        "Somebody archived the contact in Xero; a new one is created for later documents.",
        "Merge the archived contact into the new one in Xero if you want one contact.",
        _A.REPORT,
    ),
    _C.CHARGE_TYPE_SUSPENDED: FailureInfo(
        "A refund has an amount of a type that is not known; it was entered on the suspense account.",
        "Move the amount to the right account in Xero, and report the type as a defect.",
        _A.REPORT,
    ),
    _C.NO_CLEARING: FailureInfo(
        "No clearing account is set for a currency; its invoices stay unpaid.",
        "Set accounts.clearing for the currency.",
        _A.REPORT,
    ),
    _C.STOCK_MALFORMED: FailureInfo(
        "Amazon stated a stock level in a way that cannot be read. The level stays as it was last known.",
        "Check the SKU in Seller Central. If its stock is right there, report this as a defect.",
        _A.REPORT,
    ),
    _C.STOCK_SWEEP_INCOMPLETE: FailureInfo(
        "A sweep of stock did not reach the last page of a marketplace. The rest stays as it was last known.",
        "If it lasts for days, check that stock in Seller Central. Amazon still notifies of changes.",
        _A.REPORT,
    ),
    _C.STOCK_NOT_STATED: FailureInfo(
        "A person asked to read a stock level, and Amazon states none. It stays as it was last known.",
        "Check the key of the level and the SKU in Seller Central.",
        _A.REPORT,
    ),
    _C.STOCK_POOL_PROPOSED: FailureInfo(
        "Marketplaces that are in no common pool state identical quantities: they seem to sell the same units.",
        "If they do, add the pool that the message states to inventory.pools of the settings.",
        _A.REPORT,
    ),
    _C.STOCK_POOL_DOUBTED: FailureInfo(
        "Two marketplaces of one pool state different quantities of stock: they seem not to sell the same units.",
        "If they do not, take one of them out of the pool under inventory.pools of the settings.",
        _A.REPORT,
    ),
    _C.RECONCILIATION_INCOMPLETE: FailureInfo(
        "Amazon or Xero did not state all quantities, so stock was not reconciled. The worklist stays as it was.",
        "No action is needed at first: it is tried again every hour. If it lasts for a day, do what the message says.",
        _A.REPORT,
    ),
    _C.WORKLIST_NOT_CHANGED: FailureInfo(
        "A person asked to close an entry of the stock worklist that is not open or just changed, or without a word.",
        "List the open entries, and close one of them with a sentence that says why.",
        _A.REPORT,
    ),
    _C.MOVEMENTS_NOT_COUNTED: FailureInfo(
        "Units of a SKU were sold or refunded and are not counted for reconciling stock. Orders and refunds are not "
        "affected.",
        "Expect a difference of these units in the next reconciliation of the SKU.",
        _A.REPORT,
    ),
    _C.NO_ROUNDING_ACCOUNT: FailureInfo(
        "The organisation has no active rounding account.",
        "Restore Xero's system account ROUNDING.",
        _A.REPORT,
    ),
    _C.LOCKED_BEFORE_START: FailureInfo(
        "Orders from start on fall into a locked period.",
        "Set invoices.lock_dates to next_open_day, or start to a later day.",
        _A.REPORT,
    ),
    _C.NO_PROPOSAL: FailureInfo(
        "There are no tax rules to propose for this country.", "Write the rules with your accountant.", _A.REPORT
    ),
    _C.NO_RATE: FailureInfo(
        "The organisation lacks a tax rate that a proposed rule needs.",
        "Add the rate in Xero, then run make preflight again.",
        _A.REPORT,
    ),
    _C.SEVERAL_RATES: FailureInfo(
        "More than one tax rate fits a proposed rule.", "Write the rule with the right one.", _A.REPORT
    ),
}
#: Failures of a connection or of a part of it, which does not work until a person acts.
CONNECTION_FAILURES = frozenset(code for code, info in FAILURES.items() if info.audience is Audience.CONNECTION)
#: Failures of a plan that only another reading from Amazon can end: planning again what was read would fail again.
TO_BE_READ_AGAIN = frozenset({FailureCode.PROCEEDS_MISSING})

_W = WaitReason
WAITS: Mapping[WaitReason, str] = {
    _W.AMAZON_PAUSED: "Amazon refused the authorisation or the operation; it is tried again after 15 minutes.",
    _W.AMAZON_QUOTA: "Amazon's quota for the operation is used up; it refills by the minute.",
    _W.AMAZON_UNAVAILABLE: "Amazon did not answer, or answered with an error that passes.",
    _W.WAITING_FOR_PAGES: "A burst of orders waits two minutes until searchOrders shows them in pages.",
    _W.OLDER_VERSION: "Amazon answered with an older version of the order than announced; it is read again.",
    _W.PROCEEDS_MISSING: "Amazon has not stated the order's amounts yet; the order is read again.",
    _W.SWEEP_TAKEN_OVER: "Another worker continues the sweep.",
    _W.OUT_OF_TIME: "The function's time is used up; the next run continues.",
    _W.XERO_PAUSED: "Xero is not called, or not for some kind of document, until the pause ends.",
    _W.XERO_UNAVAILABLE: "Xero did not answer; it is tried again after a minute.",
    _W.XERO_MINUTE_LIMIT: "Xero's limit of calls a minute is reached.",
    _W.XERO_APPMINUTE_LIMIT: "Xero's limit of calls a minute for the whole app is reached.",
    _W.XERO_DAY_LIMIT: "Xero's limit of calls a day is reached; work continues the next day.",
    _W.XERO_SHARE_LIMIT: "The day's calls for payments, allocations and lists of orders are used; invoices continue.",
    _W.XERO_CONCURRENT_LIMIT: "Xero's limit of concurrent calls is reached.",
    _W.BATCH_REFUSED: "Xero refused a whole batch; its halves are tried to find the document that causes it.",
    _W.OUTCOME_UNKNOWN: "Xero's answer was lost; the document is looked up before it is written again.",
    _W.LOOKUP_UNANSWERED: "Xero does not answer the look-up of this document, although it answers others.",
    _W.WAITING_FOR_OUTCOME: "A payment is under way; its outcome decides what the order needs next.",
    _W.WAITING_FOR_SALE: "A refund or a charge waits for the approved invoice of its order, for at most three days; 30 "
    "where that is on its way.",
    _W.WAITING_FOR_CHARGE: "Amazon has not charged all of a shipped order, for at most three days.",
    _W.WAITING_FOR_SHIPPING_DAY: "Amazon's order does not state when it shipped; its charge does, within three days.",
    _W.WAITING_FOR_LIABILITY: "Amazon's order leaves unclear who owes the tax; its charge after the shipment shows it.",
    _W.WAITING_FOR_REFERENCE: "A document that this one refers to is not in Xero yet.",
    _W.WAITING_FOR_CONTACT: "The contact is archived in Xero, or unknown there; it is looked up and replaced.",
    _W.WAITING_FOR_DATE: "The document's date is locked; the lock dates are read again and the order is planned again.",
    _W.CHECKED_BEFORE_CHANGE: "The document is approved in Xero; whether somebody has edited it is looked up first.",
    _W.CHANGED_MEANWHILE: "Another worker changed the row meanwhile; the work is done again from what is stored now.",
    _W.EVENTS_NOT_PUBLISHED: "The event bus did not take an event; the resume function does its work within a minute.",
    _W.DEAD_LETTER_NOT_SENT: "The dead-letter queue did not take a failure; it is found and sent again after a minute.",
    _W.ALERTS_NOT_SENT: "The event bus or the topic of inventory alerts did not take them; they are sent again.",
    _W.SETTINGS_UNAVAILABLE: "Parameter Store or Secrets Manager does not answer; earlier settings serve for an hour.",
    _W.CURRENT_ORDERS_FIRST: "A backfill waits until what else is due is done, and what its last step read.",
    _W.BACKFILL_SHARE_USED: "A backfill waits until fewer of the day's calls to Xero are used than its share.",
    _W.BACKFILL_STEP_DONE: "A backfill has read as much as it reads at once; it goes on within 15 minutes.",
}


def remedy_of(reason: str) -> str:
    """Return what the tables say to do about a failure, or why work waits; empty for any other text."""
    if reason in WAITS:
        return WAITS[WaitReason(reason)]
    return FAILURES[FailureCode(reason)].remedy if reason in FAILURES else ""


_N = NotInvoicedReason
NOT_INVOICED: Mapping[NotInvoicedReason, str] = {
    _N.BEFORE_START: "The order was placed before the connection's start, and nothing is known to have shipped since.",
    _N.MULTI_CHANNEL: "Amazon only delivered it (multi-channel fulfilment); the sale was made elsewhere.",
    _N.IGNORED_MARKETPLACE: "The order's marketplace is in amazon.ignored_marketplaces.",
    _N.ORDER_PENDING: "The buyer has not paid yet; Amazon gives no amounts.",
    _N.ORDER_CANCELLED: "The order was cancelled. Documents that exist are voided or credited.",
    _N.UNFULFILLABLE: "Amazon cannot deliver the order.",
    _N.REPLACEMENT: "A free replacement of an earlier order, or an exchange without a charge.",
    _N.ZERO_VALUE: "The order's total is zero.",
    _N.SKIPPED: "A person has said that the order is not entered here. Documents that exist are voided or credited.",
}

_B = NotBookedReason
NOT_BOOKED: Mapping[NotBookedReason, str] = {
    _B.TYPE_UNKNOWN: "It is of a type that is not known, and shows no amount between a buyer and you.",
    _B.NOT_A_REFUND: "It concerns a refund, for example its tax (Retrocharge), and moves no money.",
    _B.NOTHING_REFUNDED: "The buyer got nothing back: it consists of fees, or of tax that the marketplace withholds.",
    _B.SALE_NOT_INVOICED: "Its order has no invoice, by rule.",
    _B.ALREADY_CREDITED: "Adjustments of the order have already credited the whole amount.",
    _B.CONFIRMS_A_SALE: "It is a charge that could not be read at first. It is compared with the sale of its order.",
    _B.SKIPPED: "A person has said that the refund is not entered here.",
}
