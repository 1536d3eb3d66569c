"""Count what orders, refunds and charges cost: calls to Amazon and Xero, and units of DynamoDB.

The real services and adapters work over both sandboxes in this process and in virtual time, with the settings of
`make run`. Each figure is printed beside the aim and the floor, which is what full pages and full batches cost: Amazon
returns 100 orders or 500 transactions a page, and Xero takes 50 documents a call. One order is processed before the
count begins, so that the tokens, the organisation's settings and the customer exist, as in a system that has been
running. The exit status is 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench import seller
from bench.counted_table import Units
from bench.in_process import InProcessConnection
from sandbox.amazon.charges import SELLER_ID
from sandbox.wire import SandboxService

ROUNDS = 3  # of orders and their refunds: the table grows from the first to the last
GROWTH = 1.02  # the last may cost so many times the units of the first
_LATER = timedelta(minutes=30)


@dataclass(frozen=True)
class Cost:
    """What something cost.

    amazon, xero: calls by operation.
    units: of DynamoDB.
    """

    amazon: Counter[str]
    xero: Counter[str]
    units: Units


@dataclass(frozen=True)
class Aim:
    """The most calls to Amazon and Xero, and the floor: what full pages and full batches would cost."""

    amazon: int
    amazon_floor: int
    xero: int
    xero_floor: int

    def times(self, factor: int) -> Aim:
        return Aim(*(factor * each for each in (self.amazon, self.amazon_floor, self.xero, self.xero_floor)))


#: Of a thousand, and of 10,000 transactions.
SHIPPED = Aim(12, 10, 44, 40)
DRAFTED = Aim(24, 20, 66, 60)
REFUNDED = Aim(4, 2, 44, 40)
CHARGED = Aim(4, 2, 0, 0)
PERIOD = Aim(25, 20, 0, 0)
LATE = Aim(15, 12, 44, 40)


def counted(connection: InProcessConnection, work: Callable[[], object]) -> Cost:
    """Do the work and return what it cost."""
    units = connection.table.units
    before = len(connection.amazon.calls), len(connection.xero.calls)
    work()
    amazon, xero = (
        _operations(service, since) for service, since in zip((connection.amazon, connection.xero), before, strict=True)
    )
    return Cost(amazon, xero, connection.table.units.minus(units))


class Seller:
    """A seller whose customers order in bursts, and get back what they paid, each burst half an hour after the last."""

    def __init__(self, connection: InProcessConnection) -> None:
        self._connection = connection
        self._numbers = 0
        self._orders: list[seller.Json] = []
        self.shipped(1)

    def shipped(self, count: int) -> Cost:
        """`count` orders have shipped a second after each other; Amazon notifies of all at once."""
        self._begin()
        begin = self._connection.clock.now() - timedelta(minutes=20)
        self._orders = [seller.order(self._number(), begin + timedelta(seconds=n)) for n in range(count)]
        return counted(self._connection, lambda: self._connection.notify_orders(self._orders))

    def drafted_then_shipped(self, count: int) -> Cost:
        """The same orders are confirmed first and ship hours later, when Amazon's quota is full again."""
        self._begin()
        begin = self._connection.clock.now() - timedelta(minutes=20)
        numbers = [self._number() for _ in range(count)]
        times = [begin + timedelta(seconds=n) for n in range(count)]
        drafted = [seller.order(number, at, "UNSHIPPED") for number, at in zip(numbers, times, strict=True)]

        def work() -> None:
            self._connection.notify_orders(drafted)
            self._connection.clock.sleep(timedelta(hours=2).total_seconds())
            self._connection.renew_amazon_token()
            now = self._connection.clock.now()
            self._connection.notify_orders([seller.order(number, now) for number in numbers])

        return counted(self._connection, work)

    def charged(self) -> Cost:
        """Every buyer of the last burst was charged for it; the sweep finds the charges, which confirm the sales."""
        self._begin()
        self._connection.post_transactions([seller.charge(each, SELLER_ID) for each in self._orders])
        return counted(self._connection, self._connection.sweep_transactions)

    def refunded(self) -> Cost:
        """Every buyer of the last burst gets everything back; Amazon notifies of all refunds at once."""
        self._begin()
        posted = self._connection.clock.now() - timedelta(seconds=1)
        refunds = [seller.refund(each, posted, SELLER_ID) for each in self._orders]
        return counted(self._connection, lambda: self._connection.notify_transactions(refunds))

    def _begin(self) -> None:
        self._connection.clock.sleep(_LATER.total_seconds())
        self._connection.renew_amazon_token()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def charges_read(count: int, by_sweep: bool) -> Cost:
    """Read the charges of so many orders of the last weeks by a sweep, or for a notice of the first of them."""
    connection = InProcessConnection()
    connection.notify_orders([seller.order(0, connection.clock.now() - timedelta(hours=1))])
    begin = connection.clock.now() - timedelta(days=20)
    orders = (seller.order(number, begin + number * timedelta(minutes=2)) for number in range(count))
    connection.post_transactions([seller.charge(each, SELLER_ID) for each in orders])
    connection.renew_amazon_token()
    if by_sweep:
        return counted(connection, connection.sweep_transactions)
    return counted(connection, lambda: connection.notice_transaction(begin))


def late_orders_swept(count: int) -> Cost:
    """Enter so many orders of weeks ago by the first sweep: Amazon has touched each since, so its charge dates it."""
    connection = InProcessConnection()
    connection.notify_orders([seller.order(0, connection.clock.now() - timedelta(hours=1))])
    begin = connection.clock.now() - timedelta(days=20)
    orders = [seller.order(number + 1, begin + number * timedelta(minutes=2)) for number in range(count)]
    connection.post_transactions([seller.charge(each, SELLER_ID) for each in orders])
    touched = [seller.touched(each, timedelta(days=10)) for each in orders]
    connection.renew_amazon_token()
    return counted(connection, lambda: connection.sweep_orders(touched))


def sales_confirmed(count: int) -> Cost:
    """Confirm so many sales of shipped orders by their charges."""
    customers = Seller(InProcessConnection())
    customers.shipped(count)
    return customers.charged()


def orders_and_refunds(count: int, rounds: int = ROUNDS) -> tuple[list[Cost], list[Cost]]:
    """Return what bursts of so many shipped orders cost, round after round, and what their refunds cost."""
    customers = Seller(InProcessConnection())
    costs = [(customers.shipped(count), customers.refunded()) for _ in range(rounds)]
    return [shipped for shipped, _ in costs], [refunded for _, refunded in costs]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="costs", description="Count what orders, refunds and charges cost.")
    parser.add_argument("--thousands", type=int, default=1, help="orders and refunds in a burst")
    thousands = parser.parse_args(arguments).thousands
    began, count = time.monotonic(), 1000 * thousands
    shipped, refunded = orders_and_refunds(count)
    drafted = Seller(InProcessConnection()).drafted_then_shipped(count)
    reached = [
        _reaches(f"burst of {count} shipped orders", shipped[0], SHIPPED.times(thousands), count),
        _reaches(f"{count} orders confirmed, then shipped", drafted, DRAFTED.times(thousands), count),
        _reaches(f"burst of {count} refunds of paid invoices", refunded[0], REFUNDED.times(thousands), count),
        _reaches(f"{count} sales confirmed by their charges", sales_confirmed(count), CHARGED.times(thousands), count),
        _reaches(f"first sweep of {count} late orders", late_orders_swept(count), LATE.times(thousands), count),
        _reaches("10000 charges read by a sweep", charges_read(10_000, by_sweep=True), PERIOD, 10_000),
        _reaches("10000 charges read for a notice", charges_read(10_000, by_sweep=False), PERIOD, 10_000),
        _stays_flat("order", count, shipped),
        _stays_flat("refund", count, refunded),
    ]
    print(f"  ({time.monotonic() - began:.0f} s of real time)")
    return 0 if all(reached) else 1


def _operations(service: SandboxService, since: int) -> Counter[str]:
    return Counter(call.operation for call in service.calls[since:])


def _reaches(name: str, cost: Cost, aim: Aim, count: int) -> bool:
    """Print what so many of something cost; return whether the aim is reached."""
    print(name)
    for service, calls, most, floor in (
        ("Amazon", cost.amazon, aim.amazon, aim.amazon_floor),
        ("Xero", cost.xero, aim.xero, aim.xero_floor),
    ):
        operations = ", ".join(f"{operation} {number}" for operation, number in sorted(calls.items()))
        print(f"  {service}: {calls.total()} calls (at most {most}, floor {floor}) {operations}".rstrip())
    print(f"  DynamoDB: {_for_each(cost.units, count)}")
    return cost.amazon.total() <= aim.amazon and cost.xero.total() <= aim.xero


def _stays_flat(name: str, count: int, costs: Sequence[Cost]) -> bool:
    """Print what each one costs as the table grows; return whether that stays the same."""
    print(f"DynamoDB for each {name}, in a table of {count} more each time:")
    for cost in costs:
        print(f"  {_for_each(cost.units, count)}")
    first, last = costs[0].units, costs[-1].units
    return last.read <= first.read * GROWTH and last.written <= first.written * GROWTH


def _for_each(units: Units, count: int) -> str:
    read, written, requests = (f"{each / count:.1f}" for each in (units.read, units.written, units.requests))
    return f"{read} read units, {written} write units, {requests} requests for each"


if __name__ == "__main__":
    sys.exit(main())
