"""Refunds: TRANSACTION_UPDATE notifications from SQS, and the scheduled sweep, become recorded refunds."""

from __future__ import annotations

from amazon_to_xero.domain.capabilities import REFUNDS
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.handlers import queue_handler

handler = queue_handler(CAPABILITIES[REFUNDS])
