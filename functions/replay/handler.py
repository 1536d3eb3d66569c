"""Replay: open failures are processed again, when an operator asks, or automatically where the stack is set to."""

from __future__ import annotations

from amazon_to_xero.runtime.replay_handler import replay_handler

handler = replay_handler()
