"""A program in which somebody else configures logging, too. Arguments: the other set-up, and when.

It writes the same lines at each stage; :mod:`tests` compares its output with what it logged.
"""

from __future__ import annotations

import configparser
import logging
import logging.config
import sys
import warnings
from collections.abc import Callable

SECRET = "alice@example.org"
CREATED_EARLY = logging.getLogger("shop.early")
INI = """
[loggers]
keys=root,other
[handlers]
keys=console
[formatters]
keys=generic
[logger_root]
level=WARN
handlers=console
[logger_other]
level=DEBUG
handlers=console
propagate=0
qualname=other
[handler_console]
class=StreamHandler
args=(sys.stderr,)
level=NOTSET
formatter=generic
[formatter_generic]
format=%(levelname)s %(name)s %(message)s
"""


def dict_config(**options: bool) -> None:
    """The usual shape: a console handler on the root logger and on one that does not propagate."""
    console = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
    logging.config.dictConfig(
        {
            "version": 1,
            "handlers": {"console": console},
            "root": {"handlers": ["console"], "level": "INFO"},
            "loggers": {"other": {"handlers": ["console"], "propagate": False, "level": "INFO"}},
            **options,
        }
    )


def file_config() -> None:
    """As ``env.py`` of alembic."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(INI)
    logging.config.fileConfig(parser)


def gunicorn() -> None:
    """As a worker of gunicorn with a logconfig: the class that it logs with."""
    from gunicorn.config import Config
    from gunicorn.glogging import Logger

    settings = Config()
    settings.set("logconfig_dict", {"root": {"handlers": ["error_console"], "level": "INFO"}})
    Logger(settings)


def django() -> None:
    """As ``django.setup()``."""
    from django.conf import settings
    from django.utils.log import configure_logging

    console = {"class": "logging.StreamHandler"}
    given = {"version": 1, "handlers": {"console": console}, "root": {"handlers": ["console"]}}
    if not settings.configured:
        settings.configure(LOGGING_CONFIG="logging.config.dictConfig", LOGGING=given, DEBUG=True)
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


def celery() -> None:
    """As a worker that starts: it takes over the root logger and standard output."""
    from celery import Celery

    app = Celery("shop", broker="memory://")
    app.log.setup(loglevel=logging.INFO, redirect_stdouts=True, colorize=False)


def uvicorn() -> None:
    """As ``uvicorn.run`` with its default ``log_config``."""
    from uvicorn.config import LOGGING_CONFIG

    logging.config.dictConfig(LOGGING_CONFIG)


def rich() -> None:
    """A handler of another library that prints, with local variables."""
    from rich.console import Console
    from rich.logging import RichHandler

    handler = RichHandler(console=Console(stderr=True), rich_tracebacks=True, tracebacks_show_locals=True)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def structlog() -> None:
    """structlog over the standard library, with a formatter of its own."""
    import structlog

    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[structlog.processors.JSONRenderer()])
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def loguru() -> None:
    """loguru's recipe: its handler intercepts the standard library, and its sink is our pipeline."""
    from loguru import logger

    from tallow.monitoring.logging.adapters.loguru import PipelineSink

    class Intercept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.opt(exception=record.exc_info).log(record.levelname, record.getMessage())

    logger.remove()
    logger.add(PipelineSink(), format="{message}")
    logging.basicConfig(handlers=[Intercept()], level=logging.INFO, force=True)


SETUPS: dict[str, Callable[[], None]] = {
    "dictConfig": dict_config,
    "dictConfig_keep": lambda: dict_config(disable_existing_loggers=False),
    "fileConfig": file_config,
    "basicConfig": lambda: logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True),
    "captureWarnings": lambda: logging.captureWarnings(True),
    "gunicorn": gunicorn,
    "django": django,
    "celery": celery,
    "uvicorn": uvicorn,
    "rich": rich,
    "structlog": structlog,
    "loguru": loguru,
}


def write_lines(stage: str) -> None:
    """One line of each kind, with a private address in it."""
    for name in ("shop", "other", "uvicorn.error", "uvicorn.access", "celery.task"):
        logging.getLogger(name).warning("%s-%s for %s", stage, name, SECRET)
    CREATED_EARLY.info("%s-early for %s", stage, SECRET)
    alone = logging.getLogger("alone")
    alone.propagate = False
    alone.info("%s-alone for %s", stage, SECRET)
    try:
        raise ValueError(f"{stage}-error for {SECRET} password=hunter2secret")
    except ValueError:
        logging.getLogger("shop").exception("Failed")
    misfit = f"{stage}-arguments for %s %s"
    logging.getLogger("shop").warning(misfit, SECRET)
    warnings.warn(f"{stage}-warning for {SECRET}", stacklevel=1)


LINES = (
    *("shop", "other", "uvicorn.error", "uvicorn.access", "celery.task"),
    *("early", "alone", "error", "arguments", "warning"),
)


def main(setup: str, order: str) -> None:
    """Configure in the given order and write lines after each of our own configurations."""
    from tallow.monitoring.logging import configure, logger

    warnings.simplefilter("always")
    theirs = SETUPS[setup]
    if order == "before":
        theirs()
    configure()
    if order == "after":
        theirs()
    if order == "between":
        write_lines("first")
        theirs()
        configure()
        theirs()
    logger.info("own-line")
    write_lines("last")
    raise SystemExit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
