"""Concludes what was collected about stock, and sends the alerts that it asks for.

An alert is stored with the state that asks for it, before it is sent, and taken off the row after. So no crash loses
one; a crash in between sends it again, under the same id. Two workers never both store it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from amazon_to_xero.domain.capabilities import INVENTORY_ALERTS
from amazon_to_xero.domain.failures import FailureCode, WaitReason
from amazon_to_xero.domain.stock.alert import StockAlert
from amazon_to_xero.domain.stock.conclusion import concluded
from amazon_to_xero.domain.stock.message import message_of, subject_of
from amazon_to_xero.domain.stock.policy import StockPolicy
from amazon_to_xero.domain.stock.record import StockRecord
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.outbound import DecisionLog, EventBus, MessageNotSent, MessageTopic
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.inventory.events import alert_event
from amazon_to_xero.services.inventory.sales import SalesRates
from amazon_to_xero.services.state_updates import update_records
from amazon_to_xero.services.unforeseen import UNFORESEEN, place_of
from amazon_to_xero.services.work_report import StepReport

_MAX_LEVELS = 1000  # concluded at once: what changed at the same time makes one digest
_RETRY = timedelta(minutes=1)
_UNFORESEEN_RETRY = timedelta(hours=1)


class StockAlerts:
    """Sends the alerts of one connection, at least once."""

    def __init__(
        self,
        connection: str,
        store: StateStore,
        policy: StockPolicy | None,
        sales: SalesRates,
        topic: MessageTopic,
        events: EventBus,
        clock: Clock,
        decisions: DecisionLog,
    ) -> None:
        """`policy` is None where a connection has no alerts any more."""
        self._connection = connection
        self._store = store
        self._policy = policy
        self._sales = sales
        self._topic = topic
        self._events = events
        self._clock = clock
        self._decisions = decisions

    def send_due(self, named: Sequence[str], deadline: datetime) -> StepReport:
        """Conclude the records that are due, and send their alerts, until the deadline."""
        report, keys = StepReport(), list(named)
        if self._policy is None:
            self._set_aside()
            return report
        while self._clock.now() < deadline:
            keys = list(dict.fromkeys([*keys, *self._store.due(INVENTORY_ALERTS, self._clock.now(), _MAX_LEVELS)]))
            if not keys:
                return report
            changed = self._conclude(keys, self._policy)
            stopped = self._send(changed, self._policy)
            report = report.plus(StepReport(len(changed), stopped=stopped))
            if stopped or not changed:
                return report
            keys = []
        return report.plus(StepReport(stopped=WaitReason.OUT_OF_TIME))

    def _set_aside(self) -> None:
        """Leave what is due in its rows until the settings ask for alerts again: nothing of it is late."""
        keys = self._store.due(INVENTORY_ALERTS, self._clock.now(), _MAX_LEVELS)

        def not_due(stored: Mapping[str, StockRecord | None]) -> Iterable[StockRecord]:
            return [replace(record, next_attempt_at=None) for record in stored.values() if record is not None]

        update_records(self._store, StockRecord, keys, not_due)

    def _conclude(self, keys: Sequence[str], policy: StockPolicy) -> list[StockRecord]:
        """Conclude what is due and return it, with its unsent alerts."""

        def conclusions(stored: Mapping[str, StockRecord | None]) -> Iterable[StockRecord]:
            now = self._clock.now()
            rates = self._sales.rates(stored)
            for record in stored.values():
                if record is None or record.next_attempt_at is None or record.next_attempt_at > now:
                    continue
                try:
                    yield concluded(record, policy, now, rates.get(record.key))
                except UNFORESEEN as problem:
                    code = FailureCode.UNFORESEEN
                    self._decisions.record("FAILED", reason=code, remedy=place_of(problem), stock=record.key)
                    yield replace(record, next_attempt_at=now + _UNFORESEEN_RETRY)

        return list(update_records(self._store, StockRecord, keys, conclusions).values())

    def _send(self, records: Sequence[StockRecord], policy: StockPolicy) -> str:
        """Send the unsent alerts of records; return why not all of them were sent, empty if they were."""
        alerts = [alert for record in records for alert in record.unsent]
        sent: list[StockAlert] = []
        problem = ""
        if alerts and (lost := self._events.publish(self._connection, [alert_event(each, policy) for each in alerts])):
            problem = f"the event bus did not take {lost} events"
        messages = [alerts] if len(alerts) >= policy.digest_from else [[each] for each in alerts]
        try:
            for message in messages if not problem else ():
                subject = subject_of(self._connection, message, policy)
                self._topic.publish(subject, message_of(self._connection, message, policy))
                sent += message
        except MessageNotSent as refused:
            problem = str(refused)
        for alert in sent:
            self._log(alert)
        self._store_sent([record.key for record in records if record.unsent], sent, policy)
        if problem:
            self._decisions.record(WaitReason.ALERTS_NOT_SENT, problem=problem, alerts=len(alerts) - len(sent))
            return WaitReason.ALERTS_NOT_SENT
        return ""

    def _store_sent(self, keys: Sequence[str], sent: Sequence[StockAlert], policy: StockPolicy) -> None:
        ids = frozenset(alert.alert_id for alert in sent)
        retry_at = self._clock.now() + _RETRY

        def without_sent(stored: Mapping[str, StockRecord | None]) -> Iterable[StockRecord]:
            for record in filter(None, stored.values()):
                yield record.without_sent(ids, policy.collect, retry_at)

        update_records(self._store, StockRecord, keys, without_sent)

    def _log(self, alert: StockAlert) -> None:
        self._decisions.record(
            "INVENTORY_ALERT",
            reason=alert.kind,
            stock=alert.key,
            fulfillable=alert.quantities.fulfillable,
            before=alert.fulfillable_before,
            observed_at=alert.at.isoformat(),
        )
