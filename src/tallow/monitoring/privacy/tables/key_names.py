"""The key table: names of keys by what they hold. A name's last words decide (see ``keys.py``)."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.privacy.model import KeyRow


def _with(owners: str, *heads: str) -> str:
    """Each owner before each head: ``api_key``."""
    return " ".join(f"{owner}_{head}" for owner in owners.split() for head in heads)


_ACCOUNTS: Final = """
    db database user usr root admin administrator sys system smtp imap pop pop3 ldap bind mysql pg postgres
    postgresql mongo mongodb redis rabbitmq rabbit kafka mq amqp ftp sftp ssh sudo become su http https basic
    proxy web wifi wlan wpa login auth store keystore truststore key app service sa conn connection mail email
    jdbc sql mssql oracle ora cassandra elastic elasticsearch influx vpn snmp samba smb rdp vnc ansible git
    client server master slave replication repl backup zip archive pdf test my default account acct member
    customer
"""
_KEY_OWNERS: Final = """
    secret private master encryption enc encrypt crypt crypto decryption decrypt signing sign signature shared
    account acct auth authentication ssh ssl tls gpg pgp aes des rsa ecdsa ed25519 hmac license licence
    subscription service deploy deployment root webhook app application consumer client integration ingest
    ingestion write admin function functions functions_host symmetric cipher wrapping hashing gossip preshared
    pre_shared unseal recovery jwt jwe stream seal wifi wlan wpa network security sas routing pair
    pairing server product activation registration cluster cookie cookies session_encryption
    data_encryption database_encryption storage_account shared_access access_account kek dek tink fernet
    identity stripe openai anthropic google gcp aws azure github gitlab mailgun sendgrid twilio datadog sentry
    algolia cloudflare fastly maps map payment merchant webpush vapid_private oauth openid saml ntlm wep
    hardware bitlocker filevault luks vault ansible_vault rails django flask laravel app_secret sign_in dkim
    rndc tsig radius tacacs isakmp ike ipsec vpn wireguard nacl box sodium session_signing token_signing
    media content contentful functions_worker
"""
_CODE_OWNERS: Final = """
    auth authorization authentication verification verify security otp pin backup recovery reset activation
    confirmation confirm sms mfa 2fa two_factor second_factor tfa totp login sign_in signin unlock device user
    one_time onetime redeem secret private gift voucher passcode pass email_verification phone_verification
    approval unsubscribe temporary temp emergency card
"""
_ROOM_CODES: Final = """
    room share sharing pairing pair join invite invitation transfer access wormhole meeting session_join
"""

SECRET: Final = (
    KeyRow(
        "password",
        "secret",
        """
        password passwd passwort passcode pwd pw user_pass user_pwd kennwort contrasena contraseña contrasenha
        mot_de_passe motdepasse senha wachtwoord parola haslo hasło heslo jelszo salasana losenord lösenord
        passord adgangskode lozinka şifre sifre sandi пароль 密码 密碼 口令 パスワード 비밀번호
        requirepass masterauth masteruser_password pgpass sshpass become_pass bindpw rootpw olc_root_pw keypass
        storepass password_hash user_password wpa_psk psk
        """
        + _with(_ACCOUNTS, "pass", "pw", "pwd", "passwd"),
        examples=(("db_password", "my_darkest_secret"), ("userPass", "12.04.1984"), ("bindpw", "[kitty")),
        counterexamples=(("password_attempts", 3), ("password_reset_at", "2026-11-24"), ("passed", 12)),
        description="Passwords, in a dozen languages, with any prefix.",
    ),
    KeyRow(
        "passphrase",
        "secret",
        """
        passphrase pass_phrase mnemonic mnemonic_phrase seed_phrase seed_words recovery_phrase backup_phrase
        secret_phrase wallet_seed security_answer secret_answer answer_to_security_question otp_seed totp_seed
        master_seed mfa_seed
        """,
        examples=(("seed_phrase", "correct horse battery staple"),),
        counterexamples=(("seed", 42), ("phrase_count", 3)),
        description="Several words that are one secret, and answers to security questions.",
    ),
    KeyRow(
        "one-time-code",
        "secret",
        """
        pin otp totp hotp mfa 2fa tfa two_factor one_time_password onetimepassword one_time_pin cvv cvc cvv2 cvc2
        csc cvn cid_code exp_pin pin_number pin_block mfa_code verification_pin card_pin sim_pin puk
        """
        + _with(_CODE_OWNERS, "code", "codes"),
        examples=(
            ("security_code", "4711"),
            ("otp", 123456),
            ("verification_code", "90s"),
            ("mfa", "Summer2024!"),
        ),
        counterexamples=(
            ("status_code", 404),
            ("code", "PGRST116"),
            ("country_code", "DE"),
            ("pin_count", 4),
        ),
        description="Codes that prove who somebody is: PINs, one-time and recovery codes, card verification values.",
    ),
    KeyRow(
        "secret",
        "secret",
        """
        secret client_secret shared_secret secret_value secret_text secret_string secret_data secret_key_base
        secretkeybase wep_key credentials_json service_account_json
        """,
        examples=(("totpSecret", ":open_sesame"), ("client_secret", "Summer(2024)")),
        counterexamples=(("secret_name", "tallow-tls"), ("existingSecret", "shop-db"), ("secret_version", 3)),
        description="Anything whose last word is secret.",
    ),
    KeyRow(
        "token",
        "secret",
        """
        token auth_token access_token refresh_token id_token bearer_token api_token user_token login_token
        reset_token sas_token jwt bearer bearer_auth code_verifier pkce_verifier assertion client_assertion
        saml_assertion saml_response saml_request samlresponse samlrequest oauth_verifier remember_me
        rememberme logged_in remember_token secret_id x_amz_security_token
        """,
        examples=(("access_token", "***cat"), ("X-Auth-Token", "<3mydog"), ("remember_me", "rosebud")),
        counterexamples=(
            ("token_count", 12),
            ("max_tokens", 4096),
            ("tokens_used", 9),
            ("cancellationToken", "None"),
        ),
        description="Tokens, and what else is exchanged for access.",
    ),
    KeyRow(
        "api-key",
        "api_key",
        """
        api_key apikey access_key access_key_id auth_key x_functions_key key_pair_id secret_access_key
        api_secret api_key_secret app_key apikey_value api_pass
        """
        + _with("api access rest app dd x_api", "key"),
        examples=(("X-Api-Key", "SUMMER_TIME"), ("apiKey", "rosebud")),
        counterexamples=(("key_id", "k-17"), ("cache_key", "user:4711:cart"), ("api_key_count", 3)),
        description="Keys to programming interfaces.",
    ),
    KeyRow(
        "cryptographic-key",
        "secret",
        "private_key privatekey private_key_pem private_key_data client_key_data kek dek kmac_key pem_key "
        + _with(_KEY_OWNERS, "key"),
        examples=(("private_key", "list[abc1"), ("enc_key", "Summer2024!"), ("wifi_key", "Summer2024!")),
        counterexamples=(
            ("public_key", "MCowBQ"),
            ("primary_key", "id"),
            ("key", "status"),
            ("partitionKey", "shard-0017"),
        ),
        description="A key with a word before it that says it is secret; `public`, `cache`, `primary` do not.",
    ),
    KeyRow(
        "signature",
        "secret",
        """
        signature sig hmac x_amz_signature x_goog_signature x_hub_signature x_hub_signature_256 webhook_signature
        hmac_signature request_signature
        """,
        examples=(("sig", "Pq67Q8w3hPZV"),),
        counterexamples=(("signature_algorithm", "ES256"), ("signature_valid", True)),
        description="Signatures of requests and links: whoever has one can use what it signs.",
    ),
    KeyRow(
        "credential",
        "credential",
        """
        authorization proxy_authorization www_authorization auth_header authorization_header credential
        credentials creds cred basic_auth http_auth httpauth basicauth proxy_auth bearer_authorization
        x_amz_credential http_authorization userpwd sasl_jaas_config jaas_config jaas
        htpasswd netrc pgpassfile_content dockerconfigjson dockercfg docker_auth_config registry_auth npmrc
        """,
        examples=(
            ("authorization", "Bearer $tok3n"),
            ("basic_auth", "Summer2024!"),
            ("proxyAuth", "Summer2024!"),
        ),
        counterexamples=(
            ("credential_type", "password"),
            ("credentials_valid", True),
            ("auth_method", "password"),
        ),
        description="Headers and fields that hold whole credentials.",
    ),
    KeyRow(
        "userinfo",
        "url",
        "url_userinfo url_password url_credentials",
        examples=(("url_userinfo", "bob:rosebud"),),
        counterexamples=(("userinfo_endpoint", "https://id.example/userinfo"),),
        description="What stands before the host of an address: a name and a password.",
    ),
    KeyRow(
        "connection-string",
        "secret",
        "connection_string connection_strings conn_strings connectionstring connectionstrings connstring connstr conn_str conn_string connection_str odbc_connect",
        examples=(("connection_string", "Summer2024!"), ("ConnectionStrings", {"Shop": "Summer2024!"})),
        counterexamples=(("connection_state", "open"), ("connections", 3)),
        description="Connection strings, which hold the password of what they connect to.",
    ),
    KeyRow(
        "cookie",
        "cookie",
        """
        cookie cookies set_cookie cookie2 cookie_jar cookiejar cookie_header cookie_value request_cookies
        response_cookies session sess session_id sessionid sessid sess_id phpsessid jsessionid jsessionidsso
        session_key session_cookie session_token aspnet_session_id aspxauth asp_net_session_id connect_sid
        cfid cftoken laravel_session rails_session session_uuid session_guid session_ticket user_session
        aspnetcore_cookies
        """,
        examples=(("session", "0d9c1e57-7b1f-4b6e-9a53-2b8a4c5f7e11"), ("cookies", {"theme": "dark"})),
        counterexamples=(
            ("session_count", 3),
            ("cookie_policy", "strict"),
            ("session_duration_s", 12.5),
            ("sessions", 12),
        ),
        description="Cookies and session ids. A session's id is private even as a UUID: who has it has the session.",
    ),
    KeyRow(
        "cross-site-token",
        "cookie",
        """
        csrf xsrf csrf_token xsrf_token csrfmiddlewaretoken csrf_middleware_token authenticity_token
        request_verification_token anti_forgery_token
        """,
        examples=(("X-CSRF-Token", "rosebud"),),
        counterexamples=(("csrf_enabled", True),),
        description="Tokens against cross-site request forgery.",
    ),
    KeyRow(
        "identity-number",
        "ssn",
        """
        ssn social_security social_security_number social_security_no sozialversicherungsnummer nino
        social_insurance_number national_insurance_number tax_id taxid tax_number tax_id_number tin itin
        national_id national_id_number identity_number id_card_number id_card_no nhs_number aadhaar
        aadhaar_number pesel cpf curp dni nie nif codice_fiscale bsn personnummer steuer_id steuernummer
        passport passport_no passport_number passport_num drivers_license driver_license driving_license
        driver_licence driving_licence drivers_license_number driver_license_number license_plate
        medical_record_number mrn insurance_number health_insurance_number vat_number green_card_number visa_number
        """,
        examples=(("passport_no", "Summer2024!"), ("ssn", "078-05-1123")),
        counterexamples=(("ssn_present", False), ("passport_check", "skipped")),
        description="Numbers of people: social security, tax, passports, licences.",
    ),
    KeyRow(
        "bank-account",
        "iban",
        """
        iban bic swift_code swift bank_account bank_account_number account_number account_no routing_number
        sort_code bank_account_no bank_code blz kontonummer creditor_iban debtor_iban clabe bsb aba_number
        """,
        examples=(("iban", "DE89"), ("account_number", 4711)),
        counterexamples=(("iban_valid", True), ("account", "shop")),
        description="Bank accounts.",
    ),
    KeyRow(
        "payment-card",
        "card",
        """
        card_number card_no card_num cc_number cc_num ccnum ccnumber credit_card creditcard credit_card_number
        credit_card_no debit_card debit_card_number primary_account_number kreditkarte kreditkartennummer
        carte_bancaire numero_de_tarjeta card_pan track_data track1 track2 magstripe
        """,
        examples=(("card_number", 4111),),
        counterexamples=(("card_type", "visa"), ("card_count", 2)),
        description="Payment cards.",
    ),
)
"""Nothing passes under these, whatever it looks like."""

PERSONAL: Final = (
    KeyRow(
        "several-secrets",
        "secret",
        """
        tokens secrets passwords passphrases passwds passcodes private_keys secret_keys api_keys access_keys
        unseal_keys unseal_keys_b64 unseal_keys_hex recovery_keys pins otps auth_tokens
        """,
        check="not-a-count",
        examples=(("passwords", ["kitty"]), ("unseal_keys", "rosebud")),
        counterexamples=(("tokens", 99), ("secrets", 4)),
        description="The same in the plural; a number under them is a count.",
    ),
    KeyRow(
        "pass",
        "secret",
        "pass",
        check="not-a-small-number",
        examples=(("pass", "rosebud"),),
        counterexamples=(("pass", 12), ("pass_rate", 0.98)),
        description="Short for password, or for a test that passed: a number below 1000 is a count.",
    ),
    KeyRow(
        "session-number",
        "cookie",
        "sid",
        check="not-a-small-number",
        examples=(("sid", "rosebud"),),
        counterexamples=(("sid", 12),),
        description="Short for session id.",
    ),
    KeyRow(
        "auth",
        "credential",
        "auth",
        check="not-a-status",
        examples=(("auth", "rosebud"), ("auth", ["ann", "hunter2"])),
        counterexamples=(("auth", "none"), ("auth_type", "bearer")),
        description="Credentials, unless it is one of the status words or the name of a scheme.",
    ),
    KeyRow(
        "data-source",
        "secret",
        "dsn database_url db_url jdbc_url redis_url broker_url amqp_url mongo_url mongo_uri mongodb_uri database_uri",
        check="not-an-address",
        examples=(("dsn", "Summer2024!"),),
        counterexamples=(("database_url", "postgres://db.example:5432/shop"),),
        description="Where data are; an address keeps its host, and loses what stands before the @.",
    ),
    KeyRow(
        "opaque-value",
        "secret",
        "state code ticket samlart relay_state nonce_key challenge_response device_token push_token",
        check="random",
        examples=(("code", "SplxlOBeZQQYbYS6WxSbIA8d7"),),
        counterexamples=(("state", "connected"), ("code", "PGRST116"), ("ticket", "OPS-4417")),
        description="Names of many things, some of which are secret: only a long random value goes.",
    ),
    KeyRow(
        "email",
        "email",
        """
        email emails mail e_mail email_address mail_to mailto reply_to user_mail recipient_email mail_address
        """,
        check="e-mail-address",
        examples=(("email", "ann@mail"),),
        counterexamples=(("email", "optional"), ("emails", 3), ("email_template", "welcome")),
        description="E-mail addresses.",
    ),
    KeyRow(
        "phone",
        "phone",
        """
        phone phone_number phone_no telephone tel mobile mobile_number mobile_no cell cellphone cell_number fax
        fax_number msisdn whatsapp home_phone work_phone contact_number phones telephone_number mobile_phone
        telefon telefono téléphone handy handynummer rufnummer phone_num callback_number caller_id caller_number
        """,
        check="phone-number",
        examples=(("phone", "4155550132"), ("mobileNumber", "+4915112345678")),
        counterexamples=(("phone", "none"), ("phone_verified", True), ("mobile", 1)),
        description="Telephone numbers: at least four digits.",
    ),
    KeyRow(
        "ip-address",
        "ip",
        """
        ip ip_address ipaddress ip_addr ipv4 ipv6 client_ip remote_ip remote_addr remote_address user_ip source_ip
        src_ip dst_ip dest_ip peer_ip peer_addr peer_address client_addr client_address x_forwarded_for
        x_real_ip forwarded_for cf_connecting_ip true_client_ip source_ip_address real_ip host_ip ips clientip
        remoteaddr
        """,
        check="network-address",
        examples=(("client_ip", "203.0.113.77:443/tcp"),),
        counterexamples=(("ip", "unknown"), ("ip_version", 4), ("bind_address", "127.0.0.1")),
        description="Addresses of machines; the machine's own (127.0.0.1, ::1) stay.",
    ),
    KeyRow(
        "mac-address",
        "mac",
        "mac mac_addr mac_address hw_addr hwaddr hw_address bssid ethernet_address physical_address hardware_address",
        check="hardware-address",
        examples=(("hwaddr", "3c52 821f aa0b"),),
        counterexamples=(("mac", "hmac-sha256"), ("mac_ok", True)),
        description="Hardware addresses.",
    ),
    KeyRow(
        "coordinates",
        "geo",
        """
        geo lat latitude lon lng longitude geolocation latlng lat_lng latlon lat_lon lat_long gps coords coordinates
        coordinate geo_point geopoint geohash geo_coordinates gps_coordinates gps_location geo_location
        """,
        check="not-a-measure",
        examples=(("lat", 52.52), ("geo", {"x": "52.52"})),
        counterexamples=(("lat", "12ms"), ("geo_enabled", True)),
        description="Coordinates; a duration such as `lat=12ms` is a latency.",
    ),
    KeyRow(
        "postal-address",
        "geo",
        """
        postal_code postcode zipcode zip_code plz street street_address home_address postal_address
        billing_address shipping_address mailing_address city geo_city geoip address_line address_line1
        address_line2 street_name delivery_address home_town hometown house_number strasse wohnort
        """,
        examples=(("street", "Elm Street 5"), ("postal_code", 12345)),
        counterexamples=(("address_family", "inet6"),),
        description="Where somebody lives.",
    ),
    KeyRow(
        "zip",
        "geo",
        "zip",
        check="postal-code",
        examples=(("zip", "12345"),),
        counterexamples=(("zip", "archive.zip"), ("zip", True)),
        description="A postal code, or an archive: five digits or more go.",
    ),
    KeyRow(
        "place",
        "geo",
        "address location place addr whereabouts",
        check="place-name",
        examples=(("address", "12 Elm Street, Springfield"), ("location", "52.52,13.40")),
        counterexamples=(("location", "header"), ("address", "0x7ffd"), ("location", "/v1/rooms")),
        description="Memory and modules have addresses, too: only what reads like a place goes.",
    ),
    KeyRow(
        "file-name",
        "file_name",
        """
        file_name filename filenames file_names original_name original_filename upload_name attachment_name
        document_name basename upload_filename orig_filename download_name display_filename source_filename
        file files attachment attachments upload uploads document documents photo photos picture pictures
        """,
        check="file-name",
        examples=(("file_name", "tax 2025.pdf"), ("files", [{"name": "diary.docx", "size": 12}])),
        counterexamples=(("filename", "token.py"), ("file", "not found"), ("file_size", 12)),
        description="Names of files with an extension that is none of source code or configuration.",
    ),
    KeyRow(
        "share-link",
        "share_link",
        """
        share_link share_url sharing_link magic_link invite_link invite_url join_link join_url reset_link
        reset_url room_link room_url transfer_link transfer_url signed_url presigned_url share_links login_link
        invitation_link share_key sharing_links shareable_url shareable_link shared_link sas_url
        verification_link confirmation_link activation_link unsubscribe_link password_reset_url download_link
        """,
        examples=(("share_link", "https://tallow.example/#r8Kd2.Zm9v"),),
        counterexamples=(("share_count", 3), ("link_quality", "good")),
        description="Links that give access to whoever has them.",
    ),
    KeyRow(
        "room-code",
        "room_code",
        "room_key room_secret pairing_key room_pin room_token room_name room_password "
        + _with(_ROOM_CODES, "code", "codes"),
        examples=(("room_code", "7-violet-canary"),),
        counterexamples=(("room_size", 2), ("room_state", "waiting")),
        description="Codes that open a room or a transfer.",
    ),
    KeyRow(
        "room",
        "room_code",
        "room room_id",
        check="room-code",
        examples=(("room", "K7QX-93PZ"),),
        counterexamples=(("room", "lobby"), ("room", 12)),
        description="A room, by its code or by a word: only a code goes.",
    ),
    KeyRow(
        "person",
        "user",
        """
        first_name firstname last_name lastname full_name fullname surname given_name family_name real_name
        maiden_name middle_name nickname cardholder cardholder_name card_holder holder_name contact_name
        customer_name person_name patient_name legal_name forename owner_name employee_name member_name
        guest_name recipient_name beneficiary_name sender_name student_name payer_name buyer_name billing_name
        shipping_name author_name mothers_maiden_name screen_name vorname nachname nombre apellido prenom
        """,
        examples=(("first_name", "Ann"), ("fullName", "Ann Lee")),
        counterexamples=(("name", "relay"), ("name_length", 8)),
        description="Names of people.",
    ),
    KeyRow(
        "birth-date",
        "user",
        "dob date_of_birth birth_date birthday birthdate geburtsdatum fecha_de_nacimiento",
        examples=(("date_of_birth", "1984-03-12"),),
        counterexamples=(("date", "2026-11-24"),),
        description="Dates of birth.",
    ),
    KeyRow(
        "device",
        "user",
        "device_id device_uuid device_name device_fingerprint imei imsi ssid idfa advertising_id gaid android_id",
        examples=(("imei", 490154203237518),),
        counterexamples=(("device", "eth0"),),
        description="Names and numbers of devices, which are somebody's.",
    ),
    KeyRow(
        "account-name",
        "user",
        """
        user username user_name login login_name uid usr display_name owner login_id logname customer
        patient card_name usuario utilisateur benutzer benutzername
        """,
        check="personal-account",
        examples=(("user", "annlee"), ("user", {"name": "Ann Lee", "id": 17})),
        counterexamples=(("user", "postgres"), ("user", 17), ("user_agent", "curl/8.4.0"), ("users", 12)),
        description="Names of accounts; numbers, UUIDs and the accounts of systems stay.",
    ),
)
"""Private, unless the check named in the row says that the value is harmless."""

PLAIN: Final = (
    KeyRow(
        "plain-name",
        "",
        """
        public_key_token cancellation_token pad_token eos_token bos_token unk_token sep_token cls_token mask_token
        stop_token end_token start_token special_token added_token unexpected_token next_token page_token
        next_page_token continuation_token cursor_token sync_token resume_token per_token first_token
        last_token time_to_first_token parse_token peek_token lookahead_token existing_secret pull_secret
        image_pull_secret pull_secrets image_pull_secrets tls_secret k8s_secret kubernetes_secret external_secret
        max_tokens min_tokens total_tokens prompt_tokens completion_tokens input_tokens output_tokens
        cached_tokens reasoning_tokens num_tokens token_limit_tokens
        first_pass second_pass low_pass high_pass band_pass test_pass render_pass gpio_pin output_pin input_pin
        memory_address module_address base_address bind_address listen_address return_address log_file pid_file
        lock_file config_file temp_file test_file source_file include_file header_file base_location
        memory_location imap_login pop3_login os_login error_location public_ip_count velocity http_code
        pull_code exit_state ice_state link_state
        """,
        counterexamples=(("max_tokens", 4096), ("existingSecret", "shop-db"), ("pad_token", "<pad>")),
        description="Names that end like private ones and are none.",
    ),
    KeyRow(
        "version",
        "",
        """
        version versions release build ver revision user_version app_version sdk_version os_version
        from_version to_version server_version client_version
        """,
        check="version",
        counterexamples=(("version", "1.2.3.4"), ("os_version", "10.0.19045.3803")),
        description="Under these four numbers are a version, no address.",
    ),
    KeyRow(
        "counted",
        "",
        """
        id ids ns time timestamp ts bytes size count offset sent received length total seq sequence nonce duration
        memory rss ean isbn sku order_number serial
        """,
        check="number",
        counterexamples=(("order_id", 4111111111111111), ("file_size", 4242424242424242)),
        description="Under these a long number is a count, a time or an identifier, no payment card.",
    ),
)
"""Names whose values are as private as any text, or less."""

ENDINGS: Final = (
    ("password", "password passwd passphrase passwort passcode pwd"),
    ("password", "pw"),
    ("secret", "secret"),
    ("token", "token"),
    ("api-key", "apikey secretkey accesskey"),
    ("cookie", "sessionid sessid cookie"),
)
"""Words run together, ``PGPASSWORD``, ``authtoken``: the row they belong to, and what they end with."""

TAILS: Final = frozenset(
    [
        "value",
        "values",
        "hash",
        "hashed",
        "digest",
        "plain",
        "plaintext",
        "raw",
        "old",
        "new",
        "confirm",
        "confirmation",
        "confirmed",
        "b64",
        "base64",
        "hex",
        "encrypted",
        "enc",
        "string",
        "str",
        "text",
        "data",
        "again",
        "repeat",
        "repeated",
        "retype",
        "current",
        "previous",
        "original",
        "base",
        "param",
        "env",
        "pem",
        "prod",
        "production",
        "staging",
        "dev",
        "live",
        "override",
        "primary",
        "secondary",
    ]
)
"""Words after the name of a secret that leave its meaning alone: ``password_hash``, ``api_key_prod``."""

NOT_HOLDERS: Final = frozenset(
    ["has", "is", "needs", "requires", "require", "allow", "allows", "max", "min", "num", "total", "count"]
)
"""First words of names that hold a fact about a secret, not the secret: ``has_password``."""
