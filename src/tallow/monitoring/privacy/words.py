"""Words that stand where a private value could, and are none: answers, place-holders, accounts."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


PROSE: Final = words(
    """
    none null nil true false undefined yes no on off n/a na tbd unknown empty unset default
    a an the and or for of to in with without by at as if when while because during until after before from
    via
    is are was were be been being has have had do does doesn't should can cannot can't could may will would
    must
    this that your his her their its my our it you we they not only also but too never always already still
    now
    again least many few more less than between all any
    ok success valid invalid incorrect wrong expired expires failed failure denied rejected mismatch missing
    required optional mandatory disabled enabled revoked refreshed rotated changed updated created deleted
    generated verified accepted requested reset started ended opened closed stored loaded saved found sent
    received set provided given limited exceeded exhausted unauthorized forbidden blocked locked unlocked
    supported unsupported used reused weak strong short long present absent active inactive pending matched
    request requests lookup check checks validation authentication authorization please enter contains contain
    redacted masked hidden filtered removed dropped omitted anonymous guest private public no-cache no-store
    string str int bytes text bool number object array integer float field char varchar type types length
    header headers value values error errors exception bucket bearer basic digest apikey negotiate using
    optional[str] str|none return raise await lambda function password token secret read write list get delete
    """
)

ACCOUNTS: Final = words(
    """
    root postgres nobody www-data anonymous guest daemon git nginx redis mysql system localsystem default
    kafka prometheus grafana alertmanager systemd ubuntu debian runner sshd admin administrator app
    service backup ci deploy build builder cron sync node rabbitmq mongodb elasticsearch jenkins apache
    http https agent user users vagrant ec2-user sender receiver client server peer worker bot api web
    operator - ? * %u
    """
)
"""Accounts of systems and services, and roles: nobody's name."""

SHARED_HOMES: Final = words(
    "public shared default all user username runner you me vscode circleci travis linuxbrew"
)
"""Folders beside the homes of people."""
