"""Keys of a prefix and random letters and digits: what most issuers make since scanners look for them."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.words import words

_PREFIXES: Final = words(
    """
    p8e- ATBB ATTA ABSK bedrock-api-key- FwoGZXIvYXdz IQoJb3JpZ2luX2 GOOG1E AKLT AVNS_ IGQV CCDB1_ mdb_sa_sk_
    npg_ napi_ nfc_ nfo_ nfu_ nfb_ vcp_ vci_ vca_ vck_ vcr_ cfut_ cfat_ cfk_ fm1a_ fm1r_ fm2_ ddp_ ddo_ ddw_
    sb_secret_ tk-us- dnkey- apify_api_ cal_live_ tr_dev_ tr_prod_ tr_stg_ signkey- ctp_ lip_ ion_ ovsxat_
    ovsxp_ polar_pat_ polar_oat_ rootly_ rpa_ samsara_api_ sindri_ tss_ unkey_ waka_ zpka_ pina_ pcsk_
    persona_production_ persona_sandbox_ rdme_ CLOJARS_ duffel_live_ duffel_test_ FLWSECK- FLWSECK_ FLWPUBK-
    FLWPUBK_ FLWSECK_TEST- FLWPUBK_TEST- fio-u- pnu_ pnb_ tfp_ CFPAT- pat-na1- pat-na2- pat-eu1- pat-ap1-
    access-production- access-development- access-sandbox- public-production- public-sandbox- link-production-
    xnd_production_ xnd_development_ Mid-server- A21AA squ_ sqp_ sqa_ sqb_ sm_aat_ sm_pat_
    sm_sat_ s-s4t2ud- s-s4t2af- bkct_ CCIPRJ_ glffct- glwt- cmVmdGtu ghu_ pkgcld_ packagist_
    NRII- NRJS- NRRA- hcaik_ hcbik_ hcamk_ pylf_ lsv2_pt_ lsv2_sk_ ls__ csk- nvapi- esecret_ wandb_v1_ tvly-
    e2b_ KGAT_ api_org_ AQVN YCA YCM YCN YCP SWMTKN- syt_ xsmtpsib- mlsn. pubkey- n8n_api_ phs_ phr_ ico-
    dG9rO ZXlKhbGci shpua_ shptka_ sntrya_ sntryi_ xau_ hbp_ xkeysib- secret-live- secret-test-
    secret-sandbox- tfe_ qvr_ AAAAAAAAAAAAAAAAAAAAA
    """
)
"""Nothing else begins like that."""
_TAIL: Final = r"(?=[A-Za-z._=-]{0,40}\d)[\w=-]{16,}(?:\.[\w=-]{8,}){0,4}"
_OWN: Final = {
    "A3": r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",  # 1Password
    "AP": r"API-[A-Z0-9]{25,36}(?!\w)",  # Octopus
    "SC": r"SCW[A-Z0-9]{17}(?!\w)",  # Scaleway
    "EX": r"EXO[0-9a-f]{24,26}(?!\w)",  # Exoscale
    "EA": r"EAA[A-Z][A-Za-z0-9]{60,}",  # Meta
    "ci": r"cio[A-Za-z0-9]{32}(?!\w)",  # crates.io
    "fc": r"fc-[0-9a-f]{32}(?!\w)",  # Firecrawl
    "md": r"md-(?=[a-z_-]*[\dA-Z])[\w-]{22}(?![\w-])",  # Mandrill
    "v1": r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}|v1\.[0-9a-f]{40}(?!\w)",  # Cloudflare, GitHub
    "dt": r"dt0[a-z]\d\d\.[A-Z0-9]{8,24}\.[A-Z0-9]{32,}",  # Dynatrace
    "t1": r"t1\.[\w-]{8,}={0,2}\.[\w-]{86}={0,2}",  # Yandex
    "4b": r"4b1d(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{38}(?!\w)",  # ClickHouse
    "sa": r"sandbox_[\w=-]{30,}|sat\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}",
    "pa": r"pat\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}",  # Harness
    "sk": r"sk\.eyJ[\w-]{20,}\.[\w-]{16,}",  # Mapbox
    "00": r"00(?=[\w-]{0,40}[a-z])(?=[\w-]{0,40}[A-Z])[\w-]{40}(?![\w-])",  # Okta
    "GO": r"GOOG[\w]{16,60}(?!\w)",
    "mf": r"mfa\.[\w-]{80,}",  # Discord
    "AQ": r"AQ(?:E[a-z]h|V)[\w+/=-]{40,}",  # Adyen, LinkedIn
    "b_": r"b_(?=[a-z_-]{0,20}[A-Z\d])[\w=-]{44}(?![\w-])",  # Beamer
    "rz": r"rzp_(?:live|test)_[A-Za-z0-9]{14,}",  # Razorpay
    "sn": r"snyk_[us]at\.[0-9a-f]{8}\.[\w-]{20,}",
    "mo": r"mob-[0-9a-f]{8}-[0-9a-f-]{27}",  # LaunchDarkly
    "ey": r"eyJrIjoi[A-Za-z0-9]{60,}={0,2}",  # Grafana
    "ck cs": r"c[ks]_[0-9a-f]{40}(?!\w)",  # WooCommerce
    "li te": r"(?:live|test)_(?:pub_)?(?:[0-9a-f]{31,}|(?=[a-z]*[\dA-Z])[\w=-]{30,})",  # Lob, GoCardless
}
"""Issuers' own forms, by the two characters they can begin with."""


def _by_start() -> dict[str, list[str]]:
    forms = {start: [form] for starts, form in _OWN.items() for start in starts.split()}
    grouped: dict[str, list[str]] = {}
    for prefix in sorted(_PREFIXES, key=len, reverse=True):
        grouped.setdefault(prefix[:2], []).append(re.escape(prefix))
    for start, prefixes in grouped.items():
        forms.setdefault(start, []).append(f"(?:{'|'.join(prefixes)}){_TAIL}")
    return forms


FORMS: Final = _by_start()
"""Forms by the two characters they begin with."""
UNNAMED: Final = re.compile(
    r"(?!sha\d{1,3}|md5|blake|integrity)"
    r"(?:[A-Za-z][A-Za-z0-9]{1,14}(?:[_.-][A-Za-z0-9]{1,14}){0,3}?|\d{15,20})[_-]"
    r"(?=[A-Z0-9]{0,40}[a-z])(?=[a-z0-9]{0,40}[A-Z])(?=(?:[A-Za-z]{0,40}\d){2})[A-Za-z0-9]{32,}(?!\w)"
)
"""A key of an issuer that no list knows: a short prefix, then so many letters and digits of every kind that
no checksum (of one case), identifier or name is like it."""
KEYED: Final = re.compile(
    r"(?:[a-z][a-z0-9]{0,14}[_-]){0,2}(?:sk|key|pat|secret|token|live|prod|api|apikey)[_-]"
    r"(?=[A-Za-z0-9]{0,60}\d)(?:[0-9a-f]{32,}|(?=[a-z0-9]{0,24}[A-Z])[A-Za-z0-9]{22,})(?!\w)"
)
"""A shorter one, whose prefix says that it is a key."""
