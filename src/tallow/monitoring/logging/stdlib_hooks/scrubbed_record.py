"""A scrubbed copy of a record, for handlers of others."""

from __future__ import annotations

import copy
import logging
from typing import Any, Final

from tallow.monitoring.logging import access_log
from tallow.monitoring.logging.exceptions import describe, resolve_exc_info, stack_of_text
from tallow.monitoring.logging.record import as_text
from tallow.monitoring.logging.scrubbing import ContextScrubber
from tallow.monitoring.logging.stdlib_hooks.bridge import STANDARD_ATTRIBUTES, read, render_access_record

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_SCRUBBER: Final = ContextScrubber()


def scrubbed(record: logging.LogRecord, *, keep_exception: bool = False) -> logging.LogRecord:
    """Return the record as handlers of others may see it.

    The message is formatted, and it and every ``extra`` attribute are scrubbed. The exception becomes
    ``exc_text``, without source lines and local variables; ``exc_info`` is removed, because a formatter
    renders from it whatever it likes. A record in which nothing is private is returned itself.

    Args:
        record: is not changed.
        keep_exception: whether the copy has ``exc_info`` beside ``exc_text``, for a handler that stores
            records and formats them as the standard library does.
    """
    extra = _extra(record)
    clean_extra = _SCRUBBER.clean(extra) if extra else extra
    if type(record.msg) is dict:  # structlog's, which its own formatter renders
        return _copy(record, _SCRUBBER.clean(record.msg), clean_extra, keep_exception)
    message = _message(record)
    clean = _SCRUBBER.text(message)
    # Other values than plain ones may compare as they like.
    same = all(type(value) in _PLAIN and clean_extra.get(name) == value for name, value in extra.items())
    if same and clean == message and _is_plain(record):
        return record
    return _copy(record, clean, clean_extra, keep_exception)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: "[request]" if access_log.is_request(name, value) else value  # its text has the path
        for name, value in vars(record).items()
        if name not in STANDARD_ATTRIBUTES
    }


def _message(record: logging.LogRecord) -> str:
    message, context = read(record)
    arguments = context.get("arguments")
    return f"{message} {arguments}" if arguments and "arguments" not in vars(record) else message


def _is_plain(record: logging.LogRecord) -> bool:
    """Whether nothing but the message and ``extra`` can hold private data."""
    if record.exc_info or record.exc_text or record.stack_info or "color_message" in vars(record):
        return False
    args = record.args or ()
    return (
        type(record.msg) is str
        and type(args) is tuple
        and all(type(value) in _PLAIN for value in args)
        and render_access_record(record) is None
    )


def _copy(
    record: logging.LogRecord, message: Any, extra: dict[str, Any], keep_exception: bool
) -> logging.LogRecord:
    clean = copy.copy(record)
    vars(clean).update(extra)
    clean.msg, clean.args = message, ()
    clean.name = _SCRUBBER.clean_messages[record.name]
    vars(clean).pop("message", None)
    vars(clean).pop("color_message", None)
    error = resolve_exc_info(record.exc_info)
    if error is not None:
        clean.exc_text = _SCRUBBER.text(_traceback(error))
        if not keep_exception:
            clean.exc_info = None
    elif record.exc_text:
        clean.exc_text = _SCRUBBER.text(record.exc_text)
    if record.stack_info:
        clean.stack_info = _SCRUBBER.text(stack_of_text(as_text(record.stack_info)))
    return clean


def _traceback(error: BaseException) -> str:
    facts = describe(error)
    return f"{facts['type']}: {facts['message']}\n{facts['stack']}".rstrip()
