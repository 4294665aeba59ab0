"""Where well-known commands take a password: behind a short option, or in a fixed place."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Option(NamedTuple):
    """Commands and the short option that takes a secret.

    Attributes:
        tools: names of the commands.
        letters: the option, as a regular expression, without its hyphen.
        joined: ``" "`` with a blank or an equals sign before the value, ``"?"`` with or without, ``""`` with
            nothing between.
        value: the value, as a regular expression.
        example: a command, its secret in ``⟦⟧``.
    """

    tools: str
    letters: str
    joined: str
    value: str
    example: str


_ANY: Final = r"[^\s\"']+"
_LOGIN: Final = r"[^\s\"':$<{]{1,100}:(?![$<{*])[^\s\"']+"

OPTIONS: Final = (
    Option(
        "ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn kadmin",
        "w", " ", _ANY, "ldapsearch -x -D cn=svc -w ⟦rosebud⟧ -b ou=people",
    ),
    Option("ldappasswd", "[was]", " ", _ANY, "ldappasswd -x -D cn=admin -s ⟦rosebud⟧ uid=svc"),
    Option("redis-cli valkey-cli redis-benchmark keydb-cli", "(?:a|-pass)", " ", _ANY, "redis-cli -h cache -a ⟦rosebud1⟧ ping"),
    Option(
        "sqlcmd osql bcp isql tsql ipmitool mosquitto_pub mosquitto_sub mosquitto_rr zip unzip",
        "P", "?", _ANY, "sqlcmd -S db -U sa -P ⟦rosebud1⟧ -Q x",
    ),
    Option("ssh-keygen", "[NP]", " ", _ANY, "ssh-keygen -t ed25519 -N ⟦rosebud1⟧ -f key"),
    Option(
        """mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh evil-winrm nxc hydra couchbase-cli
        cbq rdesktop psexec psexec.exe wmic arangosh useradd usermod influx kinit clickhouse-client""",
        "p", " ", _ANY, "mongosh --host db -u root -p ⟦rosebud1⟧ shop",
    ),
    Option("sshpass", "p", "?", _ANY, "sshpass -p ⟦rosebud1⟧ ssh web-1"),
    Option(
        """mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlsh mysqlcheck mysqlbinlog mysqlpump mariadb
        mariadb-dump mariadb-admin 7z 7za 7zz rar unrar""",
        "h?p", "", _ANY, "mysql -u root -p⟦rosebud1⟧ shop",
    ),
    Option("plink pscp psftp putty kitty plink.exe pscp.exe putty.exe", "pw", " ", _ANY, "plink -ssh -pw ⟦rosebud1⟧ web-1"),
    Option(
        "snmpwalk snmpget snmpbulkwalk snmpset snmptrap snmpgetnext snmpbulkget snmptable",
        "[cAX]", " ", _ANY, "snmpwalk -v2c -c ⟦rosebud1⟧ switch-1 system",
    ),
    Option("swaks", "ap", " ", _ANY, "swaks --to x -ap ⟦rosebud1⟧"),
    Option("openssl", "(?:k|K|iv)", " ", _ANY, "openssl enc -aes-256-cbc -k ⟦rosebud1⟧ -in a"),
    Option(
        "curl curl.exe http xh wget aria2c",
        "(?:u|-user|a|-auth|-proxy-user|U)", "?", _LOGIN, "curl -s -u ⟦svc:rosebud1⟧ https://api.example",
    ),
    Option(
        "smbclient rpcclient net smbget smbcacls winexe nmblookup",
        "(?:U|-user)", "?", r"[^\s\"'%]{1,100}%[^\s\"']+", "smbclient //nas/share -U ⟦svc%rosebud1⟧",
    ),
    Option("lftp ncftp ncftpput ncftpget", "u", "?", r"[^\s\"',]{1,100},[^\s\"']+", "lftp -u ⟦svc,rosebud1⟧ ftp.example"),
    Option(
        "docker oc cf az helm podman nerdctl buildah skopeo oras regctl crane nexus",
        "p", " ", r"[^\s\"':]+(?=[\s\"']|$)", "docker login -u bot -p ⟦rosebud1⟧ registry.example",
    ),
)  # fmt: skip
"""Options of commands; the last row's need ``login`` before them."""
LOGIN_TOOLS: Final = frozenset(OPTIONS[-1].tools.split())

POSITIONAL: Final = (
    ("mysqladmin-password", "mysqladmin", r"\bmysqladmin\b[^\n|;]{0,200}?\spassword\s+[\"']?(?P<value>[^\s\"']+)", "mysqladmin -u root password ⟦rosebud⟧"),
    ("rabbitmqctl-password", "rabbitmqctl", r"\brabbitmqctl\s+(?:add_user|change_password|authenticate_user)\s+\S{1,64}\s+[\"']?(?P<value>[^\s\"']+)", "rabbitmqctl add_user svc ⟦rosebud1⟧"),
    ("htpasswd-password", "htpasswd", r"\bhtpasswd\s(?:-\w+\s){0,4}-\w{0,6}b\w{0,6}\s(?:-\w+\s){0,4}(?!-)\S{1,200}\s+(?:\S{1,64}\s+)?[\"']?(?P<value>[^\s\"']+)", "htpasswd -bc /etc/htpasswd svc ⟦rosebud1⟧"),
    ("net-user-password", "net", r"\bnet\s+user\s+\S{1,64}\s+(?P<value>[^\s/\"']\S*)", "net user svc ⟦rosebud1⟧ /add"),
    ("net-use-password", "net", r"\bnet\s+use\s+\S{1,200}(?:\s+\S{1,200})?\s+(?P<value>[^\s/\\\"']\S*)\s+/user", "net use Z: \\\\nas\\share ⟦rosebud1⟧ /user:svc"),
    ("vault-token", "vault bao", r"\b(?:vault|bao)\s+(?:login|operator\s+unseal|unwrap)\s+(?:-\S+\s+){0,4}(?P<value>[^\s=-]\S{7,})", "vault operator unseal ⟦rosebud1rosebud1⟧"),
    ("nmcli-password", "nmcli", r"\bnmcli\b[^\n|;]{0,200}?\spassword\s+[\"']?(?P<value>[^\s\"']+)", "nmcli dev wifi connect lab password ⟦rosebud⟧"),
    ("wpa-passphrase", "passphrase", r"\bwpa_passphrase\s+\S{1,64}\s+[\"']?(?P<value>[^\s\"']+)", "wpa_passphrase lab ⟦rosebud1⟧"),
    ("minio-alias", "mc mcli", r"\b(?:mc|mcli)\s+(?:alias\s+set|config\s+host\s+add)\s+\S{1,64}\s+\S{1,200}\s+(?P<value>\S+\s+\S+)", "mc alias set store https://s3.example ⟦key1 rosebud1⟧"),
    ("sqlplus-login", "sqlplus expdp impdp exp imp sqlldr sqlcl sql", r"\b(?:sqlplus|expdp|impdp|exp|imp|sqlldr|sqlcl|sql)\s(?:-\w+\s){0,3}[\"']?(?P<value>[\w$#.-]{1,64}/[^\s@/\"']+)(?=[@\s\"']|$)", "sqlplus ⟦scott/rosebud1⟧@orcl"),
    ("rman-login", "rman", r"\brman\s+target\s+[\"']?(?P<value>[\w$#.-]{1,64}/[^\s@/\"']+)", "rman target ⟦sys/rosebud1⟧"),
    ("steamcmd-login", "steamcmd", r"\bsteamcmd\b[^\n|;]{0,100}?\+login\s+(?!anonymous)(?P<value>\S{1,64}\s+\S+)", "steamcmd +login ⟦svc rosebud1⟧"),
    ("bitwarden-unlock", "bw", r"\bbw\s+(?:unlock|login\s+\S{1,64})\s+(?P<value>[^\s-]\S*)", "bw unlock ⟦rosebud1⟧"),
    ("chpasswd-input", "chpasswd", r"\becho\s+[\"']?[\w.-]{1,64}:(?P<value>[^\s\"'|]+)[\"']?\s*\|\s*(?:sudo\s+)?chpasswd", "echo svc:⟦rosebud1⟧ | chpasswd"),
    ("radtest-password", "radtest", r"\bradtest\s+\S{1,64}\s+(?P<value>[^\s]+)", "radtest svc ⟦rosebud1⟧ localhost"),
    ("powershell-secure-string", "securestring", r"\bConvertTo-SecureString\s+(?:-String\s+)?[\"'](?P<value>[^\"'\n]{1,200})", 'ConvertTo-SecureString "⟦rosebud1⟧" -AsPlainText'),
    ("rclone-obscure", "rclone", r"\brclone\s+obscure\s+[\"']?(?P<value>[^\s\"']+)", "rclone obscure ⟦rosebud1⟧"),
    ("aws-configure", "aws", r"\baws\s+configure\s+set\s+aws_\w+\s+[\"']?(?P<value>[^\s\"']+)", "aws configure set aws_secret_access_key ⟦rosebud1⟧"),
    ("echo-password", "echo", r"\becho\s+-?n?\s?[\"']?(?P<value>[^\s\"'|]{4,100})[\"']?\s*\|\s*(?:sudo\s+-S|docker\s+login|cryptsetup|gpg|openssl|podman\s+login|passwd|su\b|kinit|smbpasswd)", "echo ⟦rosebud1⟧ | sudo -S id"),
    ("windows-slash-option", "p pass password rp pw smartcardpin", r"(?<![^\s\"'])/(?:p|pass|password|rp|pw|smartcardpin):(?P<value>[^\s\"']+)", "xfreerdp /u:svc /p:⟦rosebud1⟧ /v:desk-1"),
    ("mysql-defaults", "identified", r"\bIDENTIFIED\s(?:WITH\s\S{1,60}\s)?(?:BY|AS)\s(?:PASSWORD\s)?[\"'](?P<value>[^\"'\n]{1,200})", "CREATE USER app IDENTIFIED BY '⟦rosebud1⟧'"),
)  # fmt: skip
"""Id, words of the text, pattern, and an example with its secret in ``⟦⟧``."""


def shown(example: str) -> tuple[str, str]:
    """An example without its marks, and what comes out of it."""
    return example.replace("⟦", "").replace("⟧", ""), _MARKED.sub("[secret]", example)


_MARKED: Final = re.compile("⟦[^⟧]*⟧")
