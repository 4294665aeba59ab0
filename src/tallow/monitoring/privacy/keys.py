"""What a key says about its value: ``X-Api-Key``, ``userPassword`` and ``room_code`` in any spelling.

A key counts by its last words, so that ``password_reset_requested``, ``token_count`` and
``auth_failures_total`` keep their values.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Key(NamedTuple):
    """What a key holds, and how sure that is.

    Attributes:
        kind: of the private data; empty for a key that vouches for its value (a version is no address).
        trust: ``any`` value is private; ``token``: any but counts and durations; ``name``: any but numbers,
            UUIDs and the names of system accounts; ``random``: only a value that looks random.
    """

    kind: str
    trust: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ANY: Final = {
    "secret": _words(
        "password passwd passwort passphrase passcode pwd pw pass userpass userpwd mnemonic seedphrase "
        "otp totp "
        "hotp pin cvv cvc cvv2 cvn csc credential credentials creds masterkey privatekey encryptionkey "
        "signingkey "
        "secretkey psk webhooksecret kennwort contrasena motdepasse senha onetimepassword pincode "
        "storepass "
        "keypass requirepass masterauth sshpass pgpass backupcode backupcodes recoverycode recoverycodes "
    ),
    "api_key": _words("apikey apikeys accesskey xapikey authkey licensekey licencekey subscriptionkey"),
    "credential": _words("authorization proxyauthorization wwwauthorization authheader bearer jwt"),
    "cookie": _words(
        "cookie cookies setcookie sessionid sessid phpsessid jsessionid jsessionidsso sessionkey "
        "sessioncookie "
        "aspnetsessionid aspxauth csrftoken xsrftoken csrfmiddlewaretoken authenticitytoken cfid cftoken "
        "sessiontoken laravelsession railssession connectsid"
    ),
    "ssn": _words("ssn socialsecurity socialsecuritynumber sozialversicherungsnummer nino"),
    "iban": _words("iban accountnumber bankaccount routingnumber sortcode bic"),
    "card": _words("cardnumber ccnumber creditcard creditcardnumber ccnum debitcard cardno "
    "primaryaccountnumber"),
    "email": _words("email emails mail emailaddress mailto replyto usermail recipientemail e-mail"),
    "phone": _words(
        "phone phonenumber telephone tel mobile mobilenumber cell cellphone fax faxnumber msisdn whatsapp "
        "homephone workphone contactnumber"
    ),
    "ip": _words(
        "ip ipaddress ipaddr ipv4 ipv6 clientip remoteip remoteaddr remoteaddress userip sourceip srcip "
        "dstip "
        "destip peerip peeraddr peeraddress clientaddr clientaddress xforwardedfor xrealip forwardedfor "
        "cfconnectingip trueclientip sourceipaddress realip hostip ips"
    ),
    "mac": _words("mac macaddr macaddress hwaddr hwaddress bssid ethernetaddress"),
    "geo": _words(
        "geo lat latitude lon lng long longitude geolocation latlng latlon latlong gps coords "
        "coordinates coordinate "
        "geopoint geohash postalcode postcode zipcode zip plz street streetaddress homeaddress "
        "postaladdress "
        "billingaddress shippingaddress mailingaddress city geoip geocoordinates addressline streetname"
    ),
    "file_name": _words(
        "filename filenames originalname originalfilename uploadname attachmentname documentname basename "
        "uploadfilename origfilename downloadname displayfilename sourcefilename"
    ),
    "share_link": _words(
        "sharelink shareurl sharinglink magiclink invitelink inviteurl joinlink joinurl resetlink "
        "reseturl roomlink "
        "roomurl transferlink transferurl signedurl presignedurl sharelinks loginlink invitationlink "
        "sharekey"
    ),
    "room_code": _words(
        "roomcode sharecode pairingcode joincode invitecode transfercode accesscode roomkey roomsecret "
        "pairingkey "
        "roompin wormholecode invitationcode roomtoken"
    ),
    "user": _words(
        "firstname lastname fullname surname givenname familyname realname maidenname middlename nickname "
        "cardholder cardholdername holdername contactname customername personname dob dateofbirth "
        "birthdate "
        "birthday passport passportnumber nationalid taxid driverslicense driverlicense licenseplate "
        "patientname "
        "legalname forename"
    ),
}  # fmt: skip
_TOKEN: Final = {
    "secret": _words(
        "secret secrets token tokens authtoken accesstoken refreshtoken idtoken bearertoken apitoken "
        "clientsecret "
        "usertoken logintoken resettoken authcode securitycode verificationcode authorizationcode csrf "
        "xsrf "
        "activationcode onetimecode mfacode smscode secretaccesskey connectionstring"
    )
}
_NAME: Final = {
    "user": _words(
        "user username userid login loginname uid usr displayname owner loginid accountname logname"
    ),
}
_RANDOM: Final = {
    "secret": _words(
        "key auth code session sig signature ticket nonce state sid hash salt pwdhash d p q dp dq qi k"
    ),
    "room_code": _words("room roomid"),
    "user": _words("account"),
}
_QUALIFIERS: Final = _words(
    "api access secret private master encryption signing session shared storage account auth ssh ssl "
    "tls gpg pgp "
    "aes hmac license subscription service deploy root crypto webhook app application consumer "
    "client integration "
    "ingest write read admin functions decryption symmetric host object-storage cipher data wrapping "
    "root hashing"
)
_BEARERS: Final = _words(
    "password passwd passphrase pwd passcode secret token apikey cookie credentials privatekey mnemonic pass"
)
_TAILS: Final = _words(
    "value hash hashed digest plain plaintext raw header old new confirm confirmation b64 base64 hex "
    "encrypted "
    "string str text data again repeat current base bytes param env"
)
_PLAIN: Final = _words("version release build ver revision userversion appversion sdkversion")
_SPELLED: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_CODES: Final = _words("room share pairing join invite transfer access wormhole")
_SECRET_CODES: Final = _words(
    "auth authorization verification security otp pin backup recovery reset activation confirmation "
    "sms mfa 2fa tfa "
    "login unlock device user one time totp redeem"
)  # fmt: skip
_LIMIT: Final = 100
"""No key is longer than this many characters; what is, is text."""


def classify(name: str) -> Key | None:
    """What a key of this name holds, or None if nothing private."""
    name = name.rpartition(".")[2] if "." in name and not name.endswith(".") else name
    if not name or len(name) > _LIMIT:
        return None
    words = [word.lower() for word in _SPELLED.split(name) if word]
    while words and words[-1].isdigit() and len(words) > 1:
        words.pop()
    if not words:
        return None
    words[-1] = words[-1].rstrip("0123456789") or words[-1]
    while len(words) > 1 and words[-1] in _TAILS and (words[-1] != "hash" or words[-2] in _BEARERS):
        words.pop()
    for count in (3, 2, 1):
        found = _listed("".join(words[-count:]), words) if len(words) >= count else None
        if found:
            return found
    return _compound(words)


def _listed(joined: str, words: list[str]) -> Key | None:
    for trust, kinds in (("any", _ANY), ("token", _TOKEN), ("name", _NAME), ("random", _RANDOM)):
        for kind, names in kinds.items():
            if joined in names:
                return _qualified(Key(kind, trust), joined, words)
    return Key("", "plain") if joined in _PLAIN else None


def _qualified(key: Key, joined: str, words: list[str]) -> Key | None:  # noqa: PLR0911 - cases
    """The same key seen with the word before it: ``api_key`` and ``cache_key`` both end in ``key``."""
    before = words[-2] if len(words) > 1 else ""
    if joined == "key" and before:
        if before in _QUALIFIERS:
            return Key("api_key" if before in {"api", "access"} else "secret", "token")
        return Key("secret", "random") if before in {"routing", "license", "x", "user", "sas"} else None
    if joined == "code" and before:
        if before in _CODES:
            return Key("room_code", "any")
        return Key("secret", "any") if before in _SECRET_CODES else None
    if (
        joined in {"code", "state", "nonce", "hash", "k", "d", "p", "q", "signature", "key"}
        and len(words) == 1
    ):
        return key
    if joined in {
        "hash",
        "nonce",
        "salt",
        "state",
        "d",
        "p",
        "q",
        "k",
        "long",
        "account",
        "mail",
        "pw",
        "bearer",
    }:
        return key if before in _BEARERS else None
    if joined in {"pass", "pin"} and before in {"first", "second", "test", "gpio"}:
        return None
    return None if joined == "city" and before == "velo" else key


def _compound(words: list[str]) -> Key | None:
    """Words run together: ``PGPASSWORD``, ``authtoken``, ``dbpwd``."""
    last = words[-1]
    if last.endswith(("password", "passwd", "passphrase", "passwort")) or (
        last.endswith("pwd") and last != "cwd"
    ):
        return Key("secret", "any")
    if last.endswith(("secret", "token", "apikey", "secretkey")):
        return Key("secret", "token")
    if last.endswith(("sessionid", "sessid", "cookie")):
        return Key("cookie", "any")
    if len(words) > 1 and (words[-2], last) in {("session", "id"), ("logged", "in"), ("sess", "id")}:
        return Key("cookie", "token")
    return None
