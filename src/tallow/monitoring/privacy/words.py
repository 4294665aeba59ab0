"""Sets of words that checks and tables share."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


STATUS_WORDS: Final = words(
    """
    invalid required expired missing incorrect denied reset rejected accepted refused wrong bad failed
    failure success successful succeeded ok okay valid verified unverified unknown none null nil undefined
    unset empty blank absent present provided supplied given set unchanged changed updated created deleted
    removed revoked rotated refreshed renewed disabled enabled optional mandatory forbidden unauthorized
    unauthenticated authenticated authorized blocked locked unlocked supported unsupported malformed
    mismatch mismatched matched duplicate exhausted exceeded limited closed opened open active inactive
    pending started ended used reused unused weak strong short long too must should may can cannot could
    will would is are was were be been has have had does do did not no yes on off in of at as by for from to
    with without if when while because until after before during and or the a an this that your my its it
    you we they only also never always already still now here there please enter see check use using minimum
    maximum least authentication authorization validation verification configured found loaded saved sent
    received requested generated encrypted hashed masked redacted hidden omitted public private anonymous
    read write list admin delete str string int integer bytes text bool boolean number object array float
    any type return raise await optional
    """
)
"""What stands behind ``key:`` in running text as a status, or as the next word of a sentence."""

ACCOUNTS: Final = words(
    """
    root postgres nobody www-data anonymous guest daemon git nginx redis mysql system localsystem default
    kafka prometheus grafana alertmanager systemd ubuntu debian runner sshd admin administrator app
    service backup ci deploy build builder cron sync node rabbitmq mongodb elasticsearch jenkins apache
    http https agent user users vagrant ec2-user sender receiver client server peer worker bot api web
    operator sa oracle tomcat hdfs hive spark airflow consul vault etcd haproxy postfix dovecot dbus polkitd
    _apt messagebus syslog uucp mail news proxy nfsnobody test public none null unknown
    """
)
"""Accounts of systems and services, and roles: they are no person's name."""

SHARED_HOMES: Final = words(
    "public shared default all user username runner you me vscode circleci travis linuxbrew lost+found"
)
"""Folders among the home folders that belong to no person."""
