"""The ways to write a name and its value that a pattern can read. Assignments, commands and tables have readers."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.privacy.model import Needs, Syntax
from tallow.monitoring.privacy.tables.commands import POSITIONAL, shown

_NAME: Final = r"(?P<name>[A-Za-z_][\w.\-]{0,80})"
_QUOTED_LINKS: Final = (
    "is|was|to|of|now|from|set to|has been|will be"
    "|(?:changed|updated|reset|rotated|replaced|switched) (?:from|to|with)|replaced by"
)
"""Words between the name of a secret and its value in quotes."""
_NAMES_OF_SECRETS: Final = "password passwd passphrase passcode pin otp requirepass masterauth secret"

OPTIONS: Final = (" -a", " --a", " --0", '"-', "'-", "(-")
"""How an option begins."""

PATTERNS: Final = (
    Syntax(
        "option",
        Needs(marks="-", forms=OPTIONS, template=r"-[\w?.\[\]-]{1,200}[\])]?[ \t]+[^\s-]"),
        r"(?<![\w-])(?:--(?P<name>\w[\w.\[\]-]{1,80})|-(?!h?p(?!ass|w|in|sk|riv|g))(?P<name2>[A-Za-z][\w.-]{1,80}))[ \t]{1,8}(?:\"(?P<value>[^\"\n]*)\"|'(?P<value2>[^'\n]*)'"
        r"|(?P<value3>(?![A-Z_]{3,}[\])\s])[^\s\"'-]\S*))",
        examples=(
            ("run --password rosebud --verbose", "run --password [secret] --verbose"),
            ("run --api-key 'rosebud' now", "run --api-key '[api_key]' now"),
        ),
        counterexamples=(
            "usage: tallow send [--password PASSWORD] FILE",
            "run --password-file /run/secrets/db --verbose",
            "run --no-password --verbose",
            "tool -pmytoken shop",
        ),
        description="An option of a command and the next word: `--password X`, `-Password X`.",
    ),
    Syntax(
        "url-userinfo",
        Needs(marks="//@:", template=r"://[^\s/@\"'<>]*@|://[^\s/\"'<>]*:[^\n\"'<>]*@"),
        r"://(?:(?P<value>[^\s/:\"'<>?#\[]{0,256}:(?!\d{1,5}(?:[/?#\s,;\"'\])]|$))(?:[^\s\"'<>?#]{1,256}|[^\s\"'<>]{1,256}|[^\s\"'<>][^\n\"'<>]{0,40}?))"
        r"|(?P<value2>(?!(?:git|hg|user)@)[^\s/@:\"'<>?#\[]{4,256}))@"
        r"(?=[\w.\[-][\w.:%\-\]]{0,255}(?:[/?#\s,;)\"'\]}>|&\\]|$)|[\w.-]+\(|[\w.:-]+,)",
        name="url_userinfo",
        examples=(
            ("https://bob:@dm1n@files.example/x", "https://[url]@files.example/x"),
            ("postgres://app:p@ss/word@db.example/x", "postgres://[url]@db.example/x"),
            ("amqp://guest:p ss@mq.example/v", "amqp://[url]@mq.example/v"),
        ),
        counterexamples=("http://db.example:8080/x?to=ann", "postgres://localhost:5432/tallow"),
        description="Name and password before the host of a URL, whatever characters they hold.",
    ),
    Syntax(
        "login-before-host",
        Needs(marks="@:", template=r"[\w?.+-]:[^\s@/:\"']+@(?:tcp\(|unix\(|[\w?.-]{1,200}:0)"),
        r"(?<![\w/.@:-])(?!sips?:|mailto:|xmpp:|acct:)(?P<value>[\w.+-]{1,64}:[^\s@/:\"']{1,64})@(?!sha\d{3}:|md5:)"
        r"(?=(?:tcp|unix)\(|[\w.-]{1,100}:\d)",
        name="url_userinfo",
        examples=(("app:rosebud@tcp(db.example:3306)/shop", "[url]@tcp(db.example:3306)/shop"),),
        counterexamples=("sip:relay@tcp(x)",),
        description="Name and password before a host without a scheme, as Go's MySQL driver writes them.",
    ),
    Syntax(
        "oracle-login",
        Needs(
            marks="/@",
            template=r"jdbc:oracle:(?:thin|oci0?):[\w?$#.-]{1,200}/|[\w?$#]/[^\s@/\"'=&?]+@(?://|[\w?.-]{1,200}:0+/)",
        ),
        r"(?:jdbc:oracle:(?:thin|oci8?):(?P<value>[\w$#.-]{1,64}/[^\s@]{1,64})(?=[@\s\"']|$)"
        r"|(?<![\w/.:@-])(?P<value2>[\w$#]{1,64}/[^\s@/\"'=&?]{1,64})@(?://|[\w.-]{1,100}:\d{1,5}/))",
        name="url_userinfo",
        examples=(
            (
                "jdbc:oracle:thin:hr/rosebud@//ora.example:1521/X",
                "jdbc:oracle:thin:[url]@//ora.example:1521/X",
            ),
        ),
        counterexamples=("jdbc:oracle:thin:@//ora.example:1521/X",),
        description="Name and password of an Oracle database.",
    ),
    Syntax(
        "user-id",
        Needs(words="id", marks="=", template=r"ser [Ii][Dd]="),
        r"\b[Uu]ser [Ii][Dd]=(?P<value>[^;\s]{1,64})",
        name="username",
        examples=(("Server=db;User ID=applee;Timeout=5", "Server=db;User ID=[user];Timeout=5"),),
        counterexamples=("Server=db;User ID=sa;Timeout=5",),
        description="The account of an ADO connection string.",
    ),
    Syntax(
        "quoted-after-name",
        Needs(
            words=_NAMES_OF_SECRETS + " token credential passkey key",
            any_mark="\"'`",
            template=rf"(?i:key|token|password|passwd|passphrase|passcode|pin|otp|secret)s?(?: (?i:for(?: user)? \S+|{_QUOTED_LINKS}))*[ \t]+\(?[\"'`]",
        ),
        r"(?i)(?<![\w-])(?P<name>(?:(?:api|access|private|secret|master|auth|session|encryption)[ _-](?:key|token)|password|passwd"
        r"|passphrase|passcode|pin|otp|secret|(?<!nexpected )token)s?)"
        rf"(?: (?:for (?:user )?\S{{1,64}}|{_QUOTED_LINKS})){{0,4}}"
        r"[ \t]{1,4}\(?(?:\"(?P<value>[^\"\n]{1,200})\"|'(?P<value2>[^'\n]{1,200})'|`(?P<value3>[^`\n]{1,200})`)"
        r"(?:(?:,? (?:to|with|by|and is now|now)| ?->| ?=>) (?:\"(?P<value4>[^\"\n]{1,200})\"|'(?P<value5>[^'\n]{1,200})'))?",
        examples=(
            ("ALTER USER app WITH PASSWORD 'Rosebud17!'", "ALTER USER app WITH PASSWORD '[secret]'"),
            ('the password is "rosebud" for now', 'the password is "[secret]" for now'),
            ("password changed from 'rosebud' to 'kitty9'", "password changed from '[secret]' to '[secret]'"),
        ),
        counterexamples=(
            "SyntaxError: Unexpected token 'export'",
            "missing 1 required positional argument: 'password'",
        ),
        description="A name and a value in quotes with nothing but blanks between: SQL, sentences.",
    ),
    Syntax(
        "sql-set-password",
        Needs(words="password", marks="="),
        r"\bSET\s{1,4}PASSWORD\s{1,4}(?:FOR\s{1,4}\S{1,130}\s{0,4})?=\s{0,4}(?:PASSWORD\()?(?:'(?P<value>[^'\n]{1,200})'|\"(?P<value2>[^\"\n]{1,200})\")",
        name="password",
        examples=(
            ("SET PASSWORD FOR 'shop'@'%' = 'Rosebud17!'", "SET PASSWORD FOR 'shop'@'%' = '[secret]'"),
        ),
        counterexamples=("SET search_path = 'shop'",),
        description="MySQL's statement.",
    ),
    Syntax(
        "sql-function",
        Needs(words="password crypt encrypt decrypt", marks="("),
        r"\b(?:PASSWORD|OLD_PASSWORD|crypt|gen_hash|pgp_sym_(?:en|de)crypt|aes_(?:en|de)crypt)\((?:[^()'\n]{0,80},\s{0,4})?"
        r"'(?P<value>[^'\n]{1,200})'",
        name="password",
        examples=(("SELECT crypt('rosebud', gen_salt('bf'))", "SELECT crypt('[secret]', gen_salt('bf'))"),),
        counterexamples=("SELECT lower('Rosebud')",),
        description="Functions that take a password or a key.",
    ),
    Syntax(
        "redis-auth",
        Needs(words="auth", template=r"AUTH[\"']?[ \t]"),
        r"(?<![\w-])[\"']?AUTH[\"']?[ \t]{1,4}(?:[\"']?default[\"']?[ \t]{1,4})?"
        r"(?![\"']?(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|DIGEST-MD5|NTLM|SCRAM-\S+|GSSAPI|EXTERNAL|TLS|SSL|\[)(?![a-z0-9]))"
        r"(?![\"']?(?:[a-z]+(?: [a-z]|[.:,]?$|[.:,] )|=|-|command|called))"
        r"(?:\"(?P<value>[^\"\n]{1,200})\"|'(?P<value2>[^'\n]{1,200})'|(?P<value3>[^\s\"':=,;(]{3,200}))"
        r"(?:[ \t]\"(?P<value4>[^\"\n]{1,200})\"(?=\s|$))?"
        r"|(?:^|[\n>\])] ?)AUTH (?!failed|required|command|success|error|denied|disabled|enabled|is|was|[A-Z])"
        r"(?P<value5>[^\s\"':=,;(]{1,200}) (?P<value6>[^\s\"':=,;(]{1,200})(?=[ \t\r]*(?:\n|$))",
        name="password",
        examples=(
            ("AUTH svc rosebud", "AUTH [secret] [secret]"),
            ("AUTH 123456", "AUTH [secret]"),
            ('1700000000.1 [0 lua] "AUTH" "kitty"', '1700000000.1 [0 lua] "AUTH" "[secret]"'),
        ),
        counterexamples=("AUTH PLAIN LOGIN", "AUTH failed for client 3", "250-AUTH PLAIN LOGIN CRAM-MD5"),
        description="The command of Redis, also in quotes as MONITOR prints it.",
    ),
    Syntax(
        "redis-config",
        Needs(words="requirepass masterauth"),
        r"\b(?:requirepass|masterauth)[\"']?[ \t]{1,4}[\"']?(?P<value>[^\s\"']{1,200})",
        name="password",
        examples=(('"CONFIG" "SET" "requirepass" "kitty"', '"CONFIG" "SET" "requirepass" "[secret]"'),),
        counterexamples=("CONFIG GET requirepass",),
        description="The setting of Redis, in its configuration and its command.",
    ),
    Syntax(
        "redis-acl",
        Needs(words="setuser", marks=">"),
        r"\bSETUSER[\"']?\s[\"']?\S{1,64}[^\n]{0,200}?\s[\"']?>(?P<value>[^\s\"']{1,200})",
        name="password",
        examples=(("ACL SETUSER svc on >rosebud ~*", "ACL SETUSER svc on >[secret] ~*"),),
        counterexamples=("ACL SETUSER svc on nopass",),
        description="A password of a Redis account.",
    ),
    Syntax(
        "redis-hello",
        Needs(words="hello"),
        r"\bHELLO[\"']? [\"']?\d[\"']? [\"']?AUTH[\"']? [\"']?(?P<value2>[^\s\"']{1,64})[\"']? [\"']?(?P<value>[^\s\"']{1,200})",
        name="password",
        examples=(("HELLO 3 AUTH svc rosebud SETNAME x", "HELLO 3 AUTH [secret] [secret] SETNAME x"),),
        counterexamples=("HELLO 3 SETNAME x",),
        description="The handshake of Redis.",
    ),
    Syntax(
        "directive",
        Needs(
            words="env arg setenv set setx param header requestheader passphrase sensitive export",
            template=r"(?:ENV|ARG|SetEnv|setenv|set|setx|set -[\w?]+|fastcgi_param|uwsgi_param|env|[a-z]_header|(?:RequestHeader|Header) set|set-header)[ \t]+[A-Za-z_][\w?.-]{0,200}[ \t]+[^\s=]",
        ),
        r"(?:^|[\n;]|\\n)[ \t]{0,40}(?:ENV|ARG|SetEnv|setenv|set -g?x|set -Ux|setx|set|fastcgi_param|uwsgi_param|env"
        r"|(?:proxy_set|add|proxy_add|grpc_set)_header|RequestHeader set|http-request set-header|Header set)[ \t]{1,8}"
        + _NAME
        + r"[ \t]{1,8}(?:\"(?:(?:Basic|Bearer) )?(?P<value>[^\"\n]{1,2000})\"|'(?P<value2>[^'\n]{1,2000})'|(?P<value3>[^\s;\"'=]{1,2000}))(?=[;\s]|$)",
        examples=(("FROM scratch\nENV DB_PASSWORD rosebud", "FROM scratch\nENV DB_PASSWORD [secret]"),),
        counterexamples=("FROM scratch\nENV LANG C.UTF-8",),
        description="A line of configuration that sets a variable or a header.",
    ),
    Syntax(
        "bind-password",
        Needs(
            words="bindpw rootpw bindcredentials olcrootpw masterpassword passwd",
            template=r"(?:bindpw|rootpw|olcRootPW|bindcredentials)[ \t]+\S",
        ),
        r"(?:^|\n)[ \t]{0,8}(?P<name>bindpw|rootpw|olcRootPW|bindcredentials)[ \t]{1,8}(?P<value>\S{1,200})",
        examples=(("uri ldap://x\nbindpw rosebud", "uri ldap://x\nbindpw [secret]"),),
        counterexamples=("uri ldap://x\nbinddn cn=svc",),
        description="Lines of LDAP's configuration.",
    ),
    Syntax(
        "name-beside-value",
        Needs(
            words="name key header field variable label parameter option attribute column property k path",
            any_mark="=:",
            template=r"(?i:name|key|header|field|variable|label|option|attribute|column|property|k)[\"']?\s?[:=]\s?[\"']?[\w?.\-\[\] ]{2,100}[\"']?\s*[,;\n ]\s*[\"']?[\w?]*(?i:val|value|content|data|v|input)[\"']?\s?[:=]",
        ),
        r"\b(?:name|key|header|field|variable|label|option|attribute|column|property|k|parameter(?:_?key|_?name)?)[\"']?\s?[:=]\s?"
        r"[\"']?(?P<name>[\w.\-\[\] ]{2,80}?)[\"']?\s{0,3}[,;\n ]\s{0,40}[\"']?(?:parameter|old|new|default|current|string|secret)?_?"
        r"(?:val(?:ue)?|content|data|v|input)[\"']?\s?[:=]\s?"
        r"(?:\"(?P<value>[^\"\n]{1,2000})\"|'(?P<value2>[^'\n]{1,2000})'|(?P<value3>[^\s\"',;}\]]{1,2000}))",
        examples=(
            ('<add key="DbPassword" value="rosebud" />', '<add key="DbPassword" value="[secret]" />'),
            ("- name: DB_PASSWORD\n  value: rosebud", "- name: DB_PASSWORD\n  value: [secret]"),
        ),
        counterexamples=('<add key="Timeout" value="30" />',),
        description="The name and the value under names of their own: XML settings, Kubernetes, forms.",
    ),
    Syntax(
        "value-before-name",
        Needs(
            words="value",
            any_mark="\"'",
            template=r"(?i:value|content)[\"']?\s?[:=]\s?[\"'][^\"'\n]{1,2000}[\"']\s*,?\s*[\"']?(?i:name|key|field)[\"']?\s?[:=]",
        ),
        r"[{,(\s]\s{0,40}[\"']?(?:value|content)[\"']?\s?[:=]\s?[\"'](?P<value>[^\"'\n]{1,2000})[\"']\s{0,3},?\s{0,40}[\"']?(?:name|key|field)[\"']?\s?[:=]\s?"
        r"[\"']?(?P<name>[\w.\-]{2,80})",
        examples=(
            ('{"value": "rosebud", "name": "DB_PASSWORD"}', '{"value": "[secret]", "name": "DB_PASSWORD"}'),
        ),
        counterexamples=('{"value": "30", "name": "timeout"}',),
        description="The same, the other way round.",
    ),
    Syntax(
        "old-and-new",
        Needs(
            words="old from before | field name key column attribute",
            any_mark="\"':=",
            template=r"(?i:field|name|key|column|attribute)[\"']?\s?[:=]\s?[\"']?[\w?.-]{1,200}[\"']?,?\s+[\"']?(?i:old|from|before)",
        ),
        r"\b(?:field|name|key|column|attribute)[\"']?\s?[:=]\s?[\"']?(?P<name>[\w.\-]{2,80})[\"']?,?\s{1,4}[\"']?(?:old|from|before)(?:_value)?[\"']?\s?[:=]\s?"
        r"[\"']?(?P<value>[^\s\"',;}]{1,400})[\"']?,?\s{1,4}[\"']?(?:new|to|after)(?:_value)?[\"']?\s?[:=]\s?[\"']?(?P<value2>[^\s\"',;}]{1,400})",
        examples=(("field=password old=rosebud new=kitty", "field=password old=[secret] new=[secret]"),),
        counterexamples=("field=status old=open new=closed",),
        description="Entries of an audit: what a field was and is.",
    ),
    Syntax(
        "pair",
        Needs(any_mark="\"'", marks="()", template=r"\(\s?b?[\"'][\w?.-]{1,200}[\"'],\s?b?[\"']"),
        r"\(\s?b?(?P<quote>[\"'])(?P<name>[\w.\-]{2,60})(?P=quote),\s?b?(?:\"(?P<value>[^\"\n]{1,2000})\"|'(?P<value2>[^'\n]{1,2000})')\s?\)",
        examples=(
            (
                "[('x-api-key', 'rosebud'), ('accept', '*/*')]",
                "[('x-api-key', '[api_key]'), ('accept', '*/*')]",
            ),
        ),
        counterexamples=("[('accept', '*/*')]",),
        description="A name and its value in a tuple, as headers are printed.",
    ),
    Syntax(
        "pair-in-list",
        Needs(any_mark="\"'", marks="[[", template=r"\[\s?[\"'][\w?.-]{1,200}[\"'],\s?[\"']"),
        r"(?:\[\s{0,20}|\],\s{0,20})\[\s?(?P<quote>[\"'])(?P<name>[\w.\-]{2,60})(?P=quote),\s?(?:\"(?P<value>[^\"\n]{1,2000})\"|'(?P<value2>[^'\n]{1,2000})')(?=\s?\])",
        examples=(
            (
                '[["accept", "*/*"], ["x-csrf-token", "rosebud"]]',
                '[["accept", "*/*"], ["x-csrf-token", "[cookie]"]]',
            ),
        ),
        counterexamples=('"required": ["password", "email"]',),
        description="A name and its value in a list of lists.",
    ),
    Syntax(
        "erlang-tuple",
        Needs(
            marks="{}",
            any_mark="\"'",
            template=r"\{\s?(?:<<)?[\"']?[A-Za-z][\w?.-]{0,200}[\"']?(?:>>)?,\s?(?:<<)?[\"']",
        ),
        r"\{\s?(?:<<)?[\"']?(?P<name>[A-Za-z][\w.-]{1,60})[\"']?(?:>>)?,\s?(?:<<)?(?P<quote>[\"'])(?P<value>[^\"'\n]{1,2000})(?P=quote)(?:>>)?\s?\}",
        examples=(('{password,"rosebud"},{port,5432}', '{password,"[secret]"},{port,5432}'),),
        counterexamples=('{host,"db.example"}',),
        description="Erlang's terms.",
    ),
    Syntax(
        "lisp-keyword",
        Needs(marks='""', forms=(":a", '("a'), template=r"[:(]\"?[A-Za-z][\w?.-]{0,200}\"?\s+(?:\. )?\""),
        r"(?:^|[(\[{ ,\n])(?::|\(\"?)(?P<name>[A-Za-z][\w.-]{1,60})\"?\s{1,4}(?:\. )?\"(?P<value>[^\"\n]{1,2000})\"",
        examples=(('{:db {:client-secret "rosebud"}}', '{:db {:client-secret "[secret]"}}'),),
        counterexamples=('{:db {:host "db.example"}}',),
        description="Keywords and association lists of Lisp, Clojure and Elixir.",
    ),
    Syntax(
        "xml-element",
        Needs(
            marks="<>/",
            template=r"<[\w?:.-]{1,200}(?:\s[^<>]{0,400})?>[^<>]{0,2100}(?:<!\[CDATA\[[^\]]{0,2000}\]\]>\s*)?</",
        ),
        r"<(?:\w{1,20}:)?(?P<name>[A-Za-z][\w.\-]{1,60})(?:\s[^<>]{0,200})?>\s{0,40}(?:<!\[CDATA\[)?(?P<value>[^<>\]]{1,2000}?)\s{0,40}(?:\]\]>)?\s{0,20}</",
        examples=(("<password>rosebud</password>", "<password>[secret]</password>"),),
        counterexamples=("<title>Reset your password</title>",),
        description="The text of an XML element, also in CDATA.",
    ),
    Syntax(
        "xml-siblings",
        Needs(marks="<>/<>/", template=r"</(?:key|name|td|th|dt|Key|Name|ParameterKey)>\s*<"),
        r"<(?P<tag>key|name|td|th|dt|Key|Name|ParameterKey)(?:\s[^<>]{0,100})?>\s{0,9}(?P<name>[\w.\- ]{1,80}?):?\s{0,9}</(?P=tag)>\s{0,40}"
        r"<(?:value|string|td|dd|Value|ParameterValue)(?:\s[^<>]{0,100})?>\s{0,40}(?:<(?:string|code|b)>)?(?P<value>[^<>]{1,2000}?)\s{0,40}</",
        examples=(
            (
                "<key>password</key>\n<string>rosebud</string>",
                "<key>password</key>\n<string>[secret]</string>",
            ),
        ),
        counterexamples=("<key>CFBundleName</key>\n<string>Tallow</string>",),
        description="A name and a value in neighbouring elements: property lists, Hadoop, tables of HTML.",
    ),
    Syntax(
        "xml-named-element",
        Needs(marks='<>/="', template=r"(?:name|key|id)=\"[\w?.-]{1,200}\"[^<>]{0,400}>\s*[^\s]"),
        r"<\w{1,40}\s(?:[^<>]{0,100}\s)?(?:name|key|id)=\"(?P<name>[\w.-]{1,80})\"[^<>]{0,200}>\s{0,40}(?:<(?:value|string)>\s{0,40})?(?P<value>[^<>\s][^<>]{0,2000}?)\s{0,40}</",
        examples=(('<entry key="password">rosebud</entry>', '<entry key="password">[secret]</entry>'),),
        counterexamples=('<entry key="timeout">30</entry>',),
        description="An element with its name in an attribute.",
    ),
    Syntax(
        "form-field",
        Needs(marks="<=", words="input field textarea", template=r"<input"),
        r"<input\b(?=[^<>]{0,400}?\bvalue=[\"'](?P<value>[^\"'\n]{1,400})[\"'])(?=[^<>]{0,400}?\bname=[\"'](?P<name>[\w.\-\[\]]{1,80})[\"'])[^<>]{0,600}>",
        examples=(
            (
                '<input name="password" type="password" value="rosebud">',
                '<input name="password" type="password" value="[secret]">',
            ),
        ),
        counterexamples=('<input type="password" name="password">',),
        description="A field of an HTML form, its attributes in any order.",
    ),
    Syntax(
        "form-data",
        Needs(words="form", marks="-;", template=r"form-data; ?name="),
        r"form-data; ?name=\\{0,3}\"?(?P<name>[\w.\[\]-]{1,80})\\{0,3}\"?(?:\r?\n[A-Z][^\r\n]{1,200}){0,3}\r?\n\r?\n(?P<value>[^\r\n]{1,2000})",
        examples=(
            (
                'Content-Disposition: form-data; name="password"\n\nrosebud\n--x',
                'Content-Disposition: form-data; name="password"\n\n[secret]\n--x',
            ),
        ),
        counterexamples=('Content-Disposition: form-data; name="title"\n\nHello\n--x',),
        description="A part of a multipart form (RFC 7578).",
    ),
    Syntax(
        "validation-error",
        Needs(words="input", marks="=", any_mark="\n[", template=r"input_value="),
        r"(?:^|\n|\. )(?P<name>[\w.\-]{1,200})\r?\n[ \t]+[^\n]{0,400}\binput_value=(?:'(?P<value>[^'\n]{0,2000})'|\"(?P<value2>[^\"\n]{0,2000})\"|(?P<value3>[^\s,\]]{1,2000}))",
        examples=(
            (
                "password\n  String should have at least 8 characters [type=string_too_short, input_value='kitty', input_type=str]",
                "password\n  String should have at least 8 characters [type=string_too_short, input_value='[secret]', input_type=str]",
            ),
        ),
        counterexamples=(
            "port\n  Input should be a valid integer [type=int_parsing, input_value='x', input_type=str]",
        ),
        description="What pydantic says about a field.",
    ),
    Syntax(
        "validation-input",
        Needs(words="input", any_mark="\"'", marks=":", template=r"[\"']loc[\"']"),
        r"[\"']loc[\"']\s?:\s?[(\[][^)\]\n]{0,200}?[\"'](?P<name>[\w.\-]{1,80})[\"']\s?,?\s?[)\]][^{}\n]{0,600}?[\"']input[\"']\s?:\s?"
        r"(?:\"(?P<value>[^\"\n]{1,2000})\"|'(?P<value2>[^'\n]{1,2000})'|(?P<value3>[^\s,}\"'\[{]{1,400}))",
        examples=(
            (
                "{'loc': ('body', 'password'), 'input': 'kitty'}",
                "{'loc': ('body', 'password'), 'input': '[secret]'}",
            ),
        ),
        counterexamples=("{'loc': ('body', 'port'), 'input': 'x'}",),
        description="The same as a record in a text.",
    ),
    Syntax(
        "sql-parameters",
        Needs(words="parameters failing", any_mark="([{"),
        r"\[parameters: [(\[{](?P<value>[^\n]{1,4000})[)\]}]\]|Failing row contains \((?P<value2>[^\n]{1,4000})\)",
        name="secret",
        examples=(
            (
                "[SQL: INSERT INTO t VALUES (?)] [parameters: ('rosebud',)]",
                "[SQL: INSERT INTO t VALUES (?)] [parameters: ([secret])]",
            ),
        ),
        counterexamples=("[SQL: SELECT 1]",),
        description="Parameters and rows that databases quote in their errors: all of them go.",
    ),
    Syntax(
        "netrc",
        Needs(words="machine", parts=("password ", "password\n", "password\t")),
        r"\bmachine\s{1,4}\S{1,100}(?:\s{1,4}(?:login|account)\s{1,4}\S{1,64}){0,2}\s{1,4}password\s{1,4}(?P<value>\S{1,200})",
        name="password",
        examples=(
            (
                "machine api.example login svc password rosebud",
                "machine api.example login [user] password [secret]",
            ),
        ),
        counterexamples=("machine learning needs no login",),
        description="Lines of .netrc.",
    ),
    Syntax(
        "pgpass",
        Needs(marks="::::", template=r":(?:0{2,5}|\*):[A-Za-z_*]"),
        r"(?:^|\n)[\w.*-]{1,100}:(?:\d{2,5}|\*):(?:[A-Za-z_]\w{0,60}|\*):[A-Za-z_][\w.-]{0,60}:(?P<value>(?![\w.-]{1,40}=)\S{6,200})(?=\r?\n|$)",
        name="password",
        examples=(("db.example:5432:shop:app:rosebud17", "db.example:5432:shop:app:[secret]"),),
        counterexamples=("2026:11:24:a:b",),
        description="Lines of PostgreSQL's .pgpass.",
    ),
    Syntax(
        "cisco-secret",
        Needs(
            words="password secret key community",
            template=r"(?:password|secret|key-string|key) 0x? |community |address \S+ key ",
        ),
        r"\b(?:(?:password|secret|key-string|pre-shared-key|key) (?:[05789]|0x)|snmp-server community|pre-shared-key address \S{1,64} key) (?P<value>[^\s\"']{4,200})",
        name="password",
        examples=(("username backup password 7 0822455D0A16", "username backup password 7 [secret]"),),
        counterexamples=("enable password policy",),
        description="Passwords in the configuration of network devices.",
    ),
    Syntax(
        "sasl",
        Needs(words="auth authenticate"),
        r"\bAUTH(?:ENTICATE)?[ :]{1,2}\"?(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|DIGEST-MD5|NTLM|SCRAM-SHA-\d+|GSSAPI|EXTERNAL)\"?"
        r"(?: |\r?\n[>C<: +-]{0,6})(?!PLAIN|LOGIN|XOAUTH2|CRAM|DIGEST|NTLM|SCRAM|GSSAPI|EXTERNAL)(?P<value>[A-Za-z0-9+/]{8,4000}={0,2})(?![\w-])",
        name="authorization",
        examples=(("AUTH PLAIN AGFubgByb3NlYnVk", "AUTH PLAIN [credential]"),),
        counterexamples=("250-AUTH PLAIN LOGIN CRAM-MD5",),
        description="What a client sends to a mail server (RFC 4954).",
    ),
    Syntax(
        "sasl-answer",
        Needs(digits=3, any_mark="\n", template=r"000[ -]\S*\s*\r?\n"),
        r"(?:^|[\s:])334[ -](?:[\w+/]{0,60}={0,2}|\S{0,60})\s{0,4}\r?\n(?:[C>][:>]? ?|-> ?|<- ?)?(?P<value>[A-Za-z0-9+/]{4,400}={0,2})(?=\r?(?:\n|$))",
        name="password",
        examples=(("S: 334 UGFzc3dvcmQ6\nC: cm9zZWJ1ZA==", "S: 334 UGFzc3dvcmQ6\nC: [secret]"),),
        counterexamples=("S: 354 Go ahead\nC: SGVsbG8=",),
        description="The answer to a mail server's question.",
    ),
    Syntax(
        "pass-command",
        Needs(words="pass", template=r"PASS :?[^\s:/]"),
        r"(?:^|[>:\n-] ?)PASS :?(?P<value>[^\s:/][^\s/]{2,200})(?=\r?$|\r?\n| \()",
        name="password",
        examples=(("USER svc\nPASS rosebud1", "USER svc\nPASS [secret]"),),
        counterexamples=("PASS src/app.test.js (5.2 s)",),
        description="The command of FTP, POP3 and IRC.",
    ),
    Syntax(
        "imap-login",
        Needs(words="login"),
        r"(?:^|\s)[A-Za-z]{0,8}\.?\d{1,6} LOGIN (?P<value2>\"[^\"\n]{1,200}\"|\S{1,200}) (?P<value>\"[^\"\n]{1,200}\"|[^\s\"]{1,200})",
        name="password",
        examples=(("a001 LOGIN svc rosebud", "a001 LOGIN [secret] [secret]"),),
        counterexamples=("a001 LOGIN failed",),
        description="The command of IMAP.",
    ),
    Syntax(
        "chat-identify",
        Needs(words="nickserv chanserv ns q"),
        r"(?i)\b(?:nickserv|ns|chanserv|q@\S{1,40})\b[ :]{1,3}(?:identify|auth|register|login)\s(?:\S{1,40}\s)?(?P<value>\S{4,200})",
        name="password",
        examples=(("NickServ IDENTIFY rosebud", "NickServ IDENTIFY [secret]"),),
        counterexamples=("NickServ is away",),
        description="What services of IRC are told.",
    ),
    Syntax(
        "media-key",
        Needs(words="inline", template=r"inline:[A-Za-z0+/]{20}"),
        r"\binline:(?P<value>[A-Za-z0-9+/]{20,200}={0,2})",
        name="private_key",
        examples=(
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[secret]",
            ),
        ),
        counterexamples=("style inline: none",),
        description="Keys of media streams in session descriptions (RFC 4568).",
    ),
    Syntax(
        "login-call",
        Needs(
            words="auth basicauth basic networkcredential usernamepasswordcredentials credentials passwordauthentication",
            marks="(",
            any_mark="\"'",
            template=r"(?i:auth=|auth|credentials?|authentication)\(\s?[\"']",
        ),
        r"\b(?i:auth=|basic_?auth|(?:Network|UsernamePassword|Basic)Credentials?|HTTP\w{0,8}Auth|PasswordAuthentication)"
        r"\(\s?[\"'](?P<value>[^\"'\n]{1,100})[\"'],\s?[\"'](?P<value2>[^\"'\n]{1,200})[\"']",
        name="password",
        examples=(
            ('new NetworkCredential("svc", "rosebud")', 'new NetworkCredential("[secret]", "[secret]")'),
        ),
        counterexamples=('requests.get(url, headers=("a", "b"))',),
        description="How programs write an account and its password.",
    ),
    Syntax(
        "framework-cookie",
        Needs(words="wordpress aspsessionid", marks="=", template=r"wordpress_|ASPSESSIONID"),
        r"\bwordpress(?:_logged_in|_sec)?_[0-9a-f]{32}=(?P<value>[^;\s\"']{8,2000})|\bASPSESSIONID[A-Z]{4,16}=(?P<value2>[A-Z]{8,64})",
        name="cookie",
        examples=(
            (
                "wordpress_logged_in_0123456789abcdef0123456789abcdef=ann%7C1700000000%7Cx",
                "wordpress_logged_in_0123456789abcdef0123456789abcdef=[cookie]",
            ),
        ),
        counterexamples=("wordpress_test_cookie ignored",),
        description="Cookies whose names end in a hash.",
    ),
    *(
        Syntax(
            id_,
            Needs(words=words),
            ("(?i:" + pattern + ")" if id_ == "mysql-defaults" else pattern),
            name="password",
            examples=(shown(example),),
            counterexamples=("a line without any command",),
            description=f"The place where `{example.split()[0]}` takes a password.",
        )
        for id_, words, pattern, example in POSITIONAL
    ),
)
"""Patterns with a group ``value`` (or several: ``value2``, ``value3``) and a group ``name`` or a fixed name."""
