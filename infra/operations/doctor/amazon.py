"""The side of Amazon: the authorisation, the marketplaces, the roles of each kind of work, the subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from sp_api.api import Sellers

from amazon_to_xero.adapters.amazon.answers import call_with_message
from amazon_to_xero.adapters.amazon.client import HardenedClient, connected_client
from amazon_to_xero.adapters.amazon.finances import AmazonFinancesApi
from amazon_to_xero.adapters.amazon.inventory import AmazonInventoryApi
from amazon_to_xero.adapters.amazon.orders import AmazonSellerApi
from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.ports.amazon import AmazonForbidden, AmazonNotAuthorised, AmazonUnavailable, Json
from amazon_to_xero.runtime.composition import included_data
from operations.connect import notifications_of, queue_destinations, subscriptions_of
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.credential_ages import check_ages
from operations.doctor.finding import DoctorFinding, Severity, Side

# Amazon's code of a refused token -> what is wrong with which part of the secrets.
_TOKEN_REFUSED = {
    "invalid_client": (
        "Amazon does not know the application's client id or secret",
        "Copy both from Seller Central, Develop apps: run connect amazon and enter them.",
    ),
    "invalid_grant": (
        "the seller's authorisation of the application has ended or was withdrawn",
        "Authorise the application in Seller Central: run connect amazon and enter the new refresh token.",
    ),
}


class _Sellers(HardenedClient, Sellers):  # type: ignore[misc]  # sp_api ships no types
    """Amazon's Sellers API, which no function uses."""


def check_authorisation(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find an authorisation that is refused or will end, and marketplaces that do not fit the settings."""
    yield from check_ages(checked.secrets, checked.session.clock.now())
    try:
        participations = _participations(checked)
    except AmazonForbidden:
        yield _finding(
            Severity.BROKEN,
            f"Amazon refuses the seller's marketplaces in the region {checked.settings.amazon.region}",
            "Correct amazon.region in the settings, or authorise the application in Seller Central of that region.",
        )
        return
    except AmazonNotAuthorised as problem:
        what, remedy = _TOKEN_REFUSED.get(problem.code, (f"Amazon refuses to issue a token ({problem})", ""))
        yield _finding(Severity.BROKEN, what, remedy or _TOKEN_REFUSED["invalid_grant"][1])
        return
    yield from _marketplaces(checked, participations)


def _participations(checked: CheckedConnection) -> list[Json]:
    operation = "getMarketplaceParticipations"
    stack, region = checked.stack, checked.settings.amazon.region
    client = connected_client(_Sellers, checked.seller, region, stack.amazon_api_url or None, stack.lwa_url or None)
    found = call_with_message(operation, client.get_marketplace_participation).get("payload")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise AmazonUnavailable(operation, 200, "answer has no list of marketplaces")
    return found


def _marketplaces(checked: CheckedConnection, participations: list[Json]) -> Iterator[DoctorFinding]:
    settings = checked.settings.amazon
    held = {str(each.get("marketplace", {}).get("id")): each.get("participation", {}) for each in participations}
    selling = {key for key, participation in held.items() if participation.get("isParticipating") is not False}
    for key in settings.marketplaces:
        if key not in selling:
            yield _finding(
                Severity.AT_RISK,
                f"the seller does not sell on {_named(key)}, which amazon.marketplaces lists",
                "Remove it from amazon.marketplaces, or join the marketplace in Seller Central.",
            )
        elif held[key].get("hasSuspendedListings"):
            yield _finding(
                Severity.NOTE,
                f"Amazon has suspended listings on {_named(key)}",
                "Check Account Health in Seller Central.",
            )
    for key in sorted(selling - {*settings.marketplaces, *settings.ignored_marketplaces} & MARKETPLACES.keys()):
        yield _finding(
            Severity.AT_RISK,
            f"the seller sells on {_named(key)}, which the settings do not name: its orders fail",
            "Add it to amazon.marketplaces with its tax rules, or to amazon.ignored_marketplaces.",
        )


def check_roles(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Call one cheap operation for each role. A refusal is a finding of that role, and the others are checked."""
    stack, settings = checked.stack, checked.settings
    region, api_url, lwa_url = settings.amazon.region, stack.amazon_api_url or None, stack.lwa_url or None
    since, marketplaces = checked.session.clock.now() - timedelta(days=1), settings.amazon.marketplaces
    parts = included_data(settings)
    orders = AmazonSellerApi(checked.seller, region, api_url=api_url, lwa_url=lwa_url, included_data=parts)
    yield from _role(
        "orders",
        "Inventory and Order Tracking",
        lambda: orders.search_orders(updated_after=since, marketplaces=marketplaces),
    )
    finances = AmazonFinancesApi(checked.seller, region, api_url=api_url, lwa_url=lwa_url)
    yield from _role("transactions", "Finance and Accounting", lambda: finances.list_transactions(posted_after=since))
    if settings.inventory.alerts or settings.inventory.reconcile:
        inventory = AmazonInventoryApi(checked.seller, region, api_url=api_url, lwa_url=lwa_url)
        yield from _role("stock", "Amazon Fulfillment", lambda: inventory.inventory_summaries(marketplaces[0]))


def _role(what: str, role: str, read: Callable[[], object]) -> Iterator[DoctorFinding]:
    remedy = f"Give the application the role {role} and authorise it again in Seller Central."
    if what == "orders":
        remedy += " A role for buyers' data is needed where contacts.policy or amazon.read_destination ask for it."
    try:
        read()
    except AmazonForbidden as problem:
        severity = Severity.BROKEN if what == "orders" else Severity.AT_RISK
        yield _finding(severity, f"Amazon refuses to return {what} ({problem.operation})", remedy)


def check_subscriptions(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find notifications that Amazon does not send to the stack's queues."""
    stack = checked.stack
    notifications = notifications_of(
        checked.settings, checked.secrets, stack.amazon_api_url or None, stack.lwa_url or None
    )
    queues = queue_destinations(notifications)
    for kind, output in subscriptions_of(checked.settings).items():
        subscription = notifications.get_subscription(kind)
        ours = checked.session.output(output)
        if subscription is None:
            yield _finding(
                Severity.AT_RISK,
                f"Amazon sends no {kind}: only the sweeps find what happened, later",
                "Run make connect, which subscribes.",
            )
        elif queues.get(str(subscription.get("destinationId"))) != ours:
            other = queues.get(str(subscription.get("destinationId"))) or "a destination that does not exist"
            yield _finding(
                Severity.AT_RISK,
                f"Amazon sends {kind} to {other}, and not to {ours}",
                "Disconnect the other stack (make disconnect) or delete that subscription, then run make connect.",
            )


def _named(marketplace_id: str) -> str:
    known = MARKETPLACES.get(marketplace_id)
    return f"{known.name} ({marketplace_id})" if known else marketplace_id


def _finding(severity: Severity, what: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(severity, Side.AMAZON, what, remedy)
