"""Listeners for requests and unhandled exceptions."""

from __future__ import annotations

from tallow.monitoring.lifecycle import error_hooks


class ErrorLogger:
    """Has no interest in requests."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def on_error(self, error: Exception) -> None:
        self.seen.append(error)


class Tracker(ErrorLogger):
    """Is told of requests, too, and fails at that."""

    def on_request(self) -> None:
        self.seen.append("request")
        raise RuntimeError("tracker is down")


def test_a_listener_is_told_what_it_has_a_method_for_until_it_is_removed() -> None:
    logger, tracker, error = ErrorLogger(), Tracker(), ValueError("broken")
    before = list(error_hooks.request_listeners)
    for listener in (logger, tracker, tracker):
        error_hooks.add_listener(listener)
    try:
        assert len(error_hooks.request_listeners) == len(before) + 1
        error_hooks.notify_request()
        error_hooks.notify_error(error)
    finally:
        for listener in (logger, tracker):
            error_hooks.remove_listener(listener)
    error_hooks.notify_request()
    assert logger.seen == [error]
    assert tracker.seen == ["request", error]
    assert error_hooks.request_listeners == before
