"""The names of keys by what they hold, joined and in lower case: ``apikey`` is api_key and apiKey."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.privacy.words import words

ANY: Final = {
    "secret": words(
        """
        password passwd passwort passphrase passcode pwd pw pass userpass userpwd mnemonic seedphrase
        otp totp hotp pin cvv cvc cvv2 cvn csc credential credentials creds masterkey privatekey
        encryptionkey signingkey secretkey psk webhooksecret kennwort contrasena contraseña motdepasse
        senha wachtwoord parola heslo пароль 密码 パスワード onetimepassword pincode storepass keypass
        requirepass masterauth sshpass pgpass backupcode backupcodes recoverycode recoverycodes
        recoveryphrase securityanswer secretanswer mfasecret totpsecret otpsecret exp_pin
        """
    ),
    "api_key": words(
        "apikey apikeys accesskey xapikey authkey licensekey licencekey subscriptionkey sastoken"
    ),
    "credential": words("authorization proxyauthorization wwwauthorization authheader bearer jwt"),
    "cookie": words(
        """
        cookie cookies setcookie cookie2 sessionid sessid phpsessid jsessionid jsessionidsso sessionkey
        sessioncookie aspnetsessionid aspxauth csrftoken xsrftoken csrfmiddlewaretoken authenticitytoken cfid
        cftoken sessiontoken laravelsession railssession connectsid aspsessionid
        """
    ),
    "ssn": words("ssn socialsecurity socialsecuritynumber sozialversicherungsnummer nino"),
    "iban": words("iban accountnumber bankaccount routingnumber sortcode bic bankaccountnumber"),
    "card": words(
        "cardnumber ccnumber creditcard creditcardnumber ccnum debitcard cardno primaryaccountnumber pan"
    ),
    "email": words("email emails mail emailaddress mailto replyto usermail recipientemail"),
    "phone": words(
        """
        phone phonenumber telephone tel mobile mobilenumber cell cellphone fax faxnumber msisdn whatsapp
        homephone workphone contactnumber phones telephonenumber mobilephone
        """
    ),
    "ip": words(
        """
        ip ipaddress ipaddr ipv4 ipv6 clientip remoteip remoteaddr remoteaddress userip sourceip srcip dstip
        destip peerip peeraddr peeraddress clientaddr clientaddress xforwardedfor xrealip forwardedfor
        cfconnectingip trueclientip sourceipaddress realip hostip ips
        """
    ),
    "mac": words("mac macaddr macaddress hwaddr hwaddress bssid ethernetaddress"),
    "geo": words(
        """
        geo lat latitude lon lng long longitude geolocation latlng latlon latlong gps coords coordinates
        coordinate geopoint geohash postalcode postcode zipcode zip plz street streetaddress homeaddress
        postaladdress billingaddress shippingaddress mailingaddress city geoip geocoordinates addressline
        streetname deliveryaddress gpscoordinates gpslocation hometown
        """
    ),
    "file_name": words(
        """
        filename filenames originalname originalfilename uploadname attachmentname documentname basename
        uploadfilename origfilename downloadname displayfilename sourcefilename
        """
    ),
    "share_link": words(
        """
        sharelink shareurl sharinglink magiclink invitelink inviteurl joinlink joinurl resetlink reseturl
        roomlink roomurl transferlink transferurl signedurl presignedurl sharelinks loginlink invitationlink
        sharekey sharinglinks shareableurl shareablelink sharedlink sasurl verificationlink confirmationlink
        """
    ),
    "room_code": words(
        """
        roomcode sharecode pairingcode joincode invitecode transfercode accesscode roomkey roomsecret
        pairingkey roompin wormholecode invitationcode roomtoken sharingcode roomname roompassword
        """
    ),
    "user": words(
        """
        firstname lastname fullname surname givenname familyname realname maidenname middlename nickname
        cardholder cardholdername holdername contactname customername personname dob dateofbirth
        birthdate birthday passport passportnumber nationalid taxid driverslicense driverlicense
        licenseplate patientname legalname forename ownername employeename membername guestname
        recipientname beneficiaryname sendername studentname payername buyername billingname
        shippingname authorname mothersmaidenname taxnumber nationalidnumber socialinsurancenumber
        vatnumber nhsnumber aadhaar medicalrecordnumber driverslicensenumber screenname
        deviceid deviceuuid devicename devicefingerprint imei imsi ssid idfa advertisingid
        """
    ),
}
"""Whatever stands under them is private, but for words such as "expired" and place-holders."""

TOKEN: Final = {
    "secret": words(
        """
        secret secrets token tokens authtoken accesstoken refreshtoken idtoken bearertoken apitoken
        clientsecret usertoken logintoken resettoken authcode securitycode verificationcode
        authorizationcode csrf xsrf activationcode onetimecode mfacode smscode secretaccesskey
        connectionstring sharedsecret
        passwords passphrases passwds passcodes codeverifier privatekeys secretkeys
        secretid unsealkey unsealkeys unsealkeysb64 unsealkeyshex recoverykey recoverykeys
        """
    ),
    "cookie": words("sid sess"),
}
"""Private, but for words, counts and durations."""

NAME: Final = {
    "user": words(
        """
        user username userid login loginname uid usr displayname owner loginid logname customer patient
        cardname
        """
    ),
}
"""A person, if it is no number, UUID or account of a system."""

OPAQUE: Final = {
    "secret": words(
        """
        sig signature hmac ticket xamzsignature xgoogsignature assertion samlassertion clientassertion
        samlresponse samlrequest
        """
    ),
    "cookie": words("session"),
}
"""Private if long and made by a machine."""

RANDOM: Final = {
    "secret": words("key auth code state nonce hash salt pwdhash d p q dp dq qi k"),
    "room_code": words("room roomid"),
    "user": words("account"),
}
"""Private if it looks random and is no checksum or identifier."""

PLACE: Final = words("address location place addr position origin")
"""Somebody's whereabouts, if it reads like that: memory and modules have addresses too."""

FILES: Final = words(
    "file files attachment attachments upload uploads document documents photo photos picture pictures"
)
"""A file's name, if it has the form of one and is no source file."""

VOUCHED: Final = words("version release build ver revision userversion appversion sdkversion osversion")
"""Keys whose value is a version: ``1.2.3.4`` is no address there."""

HARMLESS: Final = words(
    """
    publickeytoken cancellationtoken padtoken eostoken bostoken unktoken septoken clstoken masktoken stoptoken
    endtoken starttoken specialtokens addedtokens unexpectedtoken imagepullsecrets
    """
)
"""Names that end like private ones and are none: of assemblies, of threads, of language models."""

MAIL_PROGRAMS: Final = words("imap pop3 submission managesieve")
"""What a ``…-login`` is called after that is a program: Dovecot's."""

SECRET_REFERENCES: Final = words("existing pull tls image use k8s kubernetes target source external")
"""What a ``…_secret`` is called after that holds the name of one."""

KEY_OWNERS: Final = words(
    """
    api access secret private master encryption signing session shared storage account auth ssh ssl tls
    gpg pgp aes hmac license subscription service deploy root crypto webhook app application consumer
    client integration ingest write read admin functions decryption symmetric host object-storage cipher
    data wrapping hashing encrypt gossip preshared unseal recovery jwt stream seal
    """
)
"""What a private ``…_key`` is called after."""

PLAIN_KEYS: Final = words(
    """
    public primary foreign cache sort partition idempotency dedup group index lookup unique map dict
    json object s3 storage_path hot short arrow sub natural composite message search translation i18n
    config metric query
    """
)
"""What a harmless ``…_key`` is called after."""

BEARERS: Final = words(
    "password passwd passphrase pwd passcode secret token apikey cookie credentials privatekey mnemonic pass"
)
TAILS: Final = words(
    """
    value hash hashed digest plain plaintext raw header old new confirm confirmation b64 base64 hex encrypted
    string str text data again repeat current base bytes param env pem
    """
)
"""Words after a name that leave its meaning alone: ``password_hash``, ``token_value``."""

ROOM_CODES: Final = words("room share pairing join invite transfer access wormhole sharing meeting")
SECRET_CODES: Final = words(
    """
    auth authorization verification security otp pin backup recovery reset activation confirmation sms mfa 2fa
    tfa login unlock device user one time totp redeem secret private gift voucher
    """
)
