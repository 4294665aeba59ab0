"""Detectors of the keys of some two hundred issuers, from their documents and public secret scanners.

One row is one form: an id, the characters it begins with, the rest as a pattern, and an example. Examples are
written with a ``·`` that is taken out at run time, so that no scanner of sources takes them for real.
"""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.model import Needs, Rule

_A: Final = "aZ81kqP0vTn4Lm7XwRb2CdEf9GhJ3KpQ5sUyAzB6cD8eFgH1iJkLmN0oPqRsTuVw4xYz5aBcDeFgHiJkLm3nOpQrStUvWxYz0123aBcD4eFgH5iJkL6mNoP7qRsT"
_H: Final = "0a1b2c3d4e5f60718293a4b5c6d7e8f90f1e2d3c4b5a69788796a5b4c3d2e1f00a1b2c3d4e5f60718293a4b5c6d7e8f90f1e2d3c4b5a69788796a5b4c3d2e1f001"
_U: Final = _A.upper()

_PREFIXES: Final = """
    p8e- ATBB ATTA ABSK bedrock-api-key- FwoGZXIvYXdz IQoJb3JpZ2luX2 AKLT AVNS_ IGQV CCDB1_ mdb_sa_sk_
    npg_ napi_ nfc_ nfo_ nfu_ nfb_ vcp_ vci_ vca_ vck_ vcr_ cfut_ cfat_ cfk_ fm1a_ fm1r_ fm2_ ddp_ ddo_ ddw_
    sb_secret_ tk-us- dnkey- apify_api_ cal_live_ tr_dev_ tr_prod_ tr_stg_ signkey- ctp_ lip_ ion_ ovsxat_
    ovsxp_ polar_pat_ polar_oat_ rootly_ rpa_ samsara_api_ sindri_ tss_ unkey_ waka_ zpka_ pina_ pcsk_
    persona_production_ persona_sandbox_ rdme_ CLOJARS_ duffel_live_ duffel_test_ FLWSECK- FLWSECK_ FLWPUBK-
    FLWPUBK_ fio-u- pnu_ pnb_ tfp_ CFPAT- pat-na1- pat-na2- pat-eu1- pat-ap1-
    access-production- access-development- access-sandbox- public-production- public-sandbox- link-production-
    xnd_production_ xnd_development_ Mid-server- A21AA squ_ sqp_ sqa_ sqb_ sm_aat_ sm_pat_
    sm_sat_ s-s4t2ud- s-s4t2af- bkct_ CCIPRJ_ glffct- glwt- cmVmdGtu pkgcld_ packagist_
    NRII- NRJS- NRRA- hcaik_ hcbik_ hcamk_ pylf_ lsv2_pt_ lsv2_sk_ ls__ csk- nvapi- esecret_ wandb_v1_ tvly-
    e2b_ KGAT_ api_org_ AQVN YCA YCM YCN YCP SWMTKN- syt_ xsmtpsib- mlsn. pubkey- n8n_api_ phs_ phr_ ico-
    dG9rO shpua_ shptka_ sntrya_ sntryi_ xau_ hbp_ xkeysib- secret-live- secret-test-
    secret-sandbox- tfe_ qvr_ AAAAAAAAAAAAAAAAAAAAA
"""
"""Prefixes before random letters and digits: nothing else begins like that."""
_TAIL: Final = r"(?=[A-Za-z._=-]{0,40}\d)[\w=-]{16,4000}(?:\.[\w=-]{8,4000}){0,4}"

_FORMS: Final = (
    ("amazon-access-key", r"A(?:KIA|SIA|GPA|IDA|ROA|BIA|CCA|NPA|IPA)[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA·" + _U[:16]),
    ("amazon-mws", r"amzn\.mws\.[0-9a-f-]{30,60}", "amzn.mws.·" + _H[:36]),
    ("google-api", r"AIza[\w-]{30,60}", "AIza·" + _A[:35]),
    ("google-oauth-access", r"ya29\.[\w.-]{16,2000}", "ya29.·a0" + _A[:40]),
    ("google-oauth-client", r"GOCSPX-[\w-]{20,60}", "GOCSPX-·" + _A[:28]),
    ("google-storage", r"GOOG[\w]{16,60}(?!\w)", "GOOG·" + _U[:24]),
    ("alibaba", r"LTAI[A-Za-z0-9]{12,24}", "LTAI·" + _A[:20]),
    ("tencent", r"AKID[A-Za-z0-9]{13,40}", "AKID·" + _A[:32]),
    ("digitalocean", r"do[por]_v1_[0-9a-f]{32,80}", "dop_v1_·" + _H[:64]),
    ("heroku", r"HRKU-[\w-]{20,100}", "HRKU-·" + _A[:40]),
    ("render", r"rnd_\w{20,100}", "rnd_·" + _A[:32]),
    ("netlify", r"nfp_\w{20,100}", "nfp_·" + _A[:36]),
    ("vercel", r"vercel_\w{20,100}", "vercel_·" + _A[:32]),
    ("fly-token", r"fo1_[\w-]{20,200}", "fo1_·" + _A[:40]),
    ("supabase", r"sbp_[0-9a-f]{40}", "sbp_·" + _H[:40]),
    ("vault", r"hv[sbr]\.[\w-]{20,400}", "hvs.·" + _A[:24]),
    ("vault-legacy", r"s\.[A-Za-z0-9]{24}(?!\w)", "s.·" + _A[:24]),
    ("pulumi", r"pul-[0-9a-f]{40}", "pul-·" + _H[:40]),
    ("databricks", r"dapi[0-9a-f]{32}", "dapi·" + _H[:32]),
    ("doppler", r"dp\.(?:pt|st|ct|sa)\.[\w.]{20,100}", "dp.pt.·" + _A[:43]),
    ("tailscale", r"tskey-[\w-]{16,100}", "tskey-·auth-" + _A[:40]),
    ("planetscale", r"pscale_(?:tkn|pw|oauth)_[\w.-]{20,100}", "pscale_tkn_·" + _A[:43]),
    ("onepassword-service", r"ops_eyJ[\w-]{20,4000}", "ops_·eyJ" + _A[:60]),
    ("github", r"gh[pousr]_[A-Za-z0-9]{20,255}", "ghp_·" + _A[:36]),
    ("github-fine-grained", r"github_pat_\w{20,255}", "github_pat_·" + _A[:60]),
    ("gitlab", r"gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|imt|oas)-[\w\-.]{16,200}", "glpat-·" + _A[:20]),
    ("gitlab-runner", r"GR1348941[\w-]{16,60}", "GR1348941·" + _A[:20]),
    ("npm", r"npm_\w{20,100}", "npm_·" + _A[:36]),
    ("pypi", r"pypi-[\w-]{16,400}", "pypi-·AgEIcHlwaS5vcmc" + _A[:60]),
    ("rubygems", r"rubygems_[0-9a-f]{32,80}", "rubygems_·" + _H[:48]),
    ("crates", r"crates_\w{20,100}|cio[A-Za-z0-9]{32}(?!\w)", "cio·" + _A[:32]),
    ("nuget", r"oy2[a-z0-9]{43}", "oy2·" + (_A.lower() * 2)[:43]),
    ("docker", r"dckr_(?:pat|oat)_[\w-]{16,100}", "dckr_pat_·" + _A[:27]),
    ("artifactory", r"AKCp[A-Za-z0-9]{30,120}", "AKCp·" + _A[:69]),
    ("sourcegraph", r"sgp_\w{20,200}", "sgp_·" + _H[:40]),
    ("circleci", r"CCIPAT_\w{20,200}", "CCIPAT_·" + _A[:40]),
    ("buildkite", r"bkua_\w{20,100}", "bkua_·" + _H[:40]),
    ("atlassian", r"AT[AC]TT3[\w=-]{20,400}", "ATATT3·xFfGF0" + _A[:60]),
    ("launchdarkly", r"(?:sdk|mob)-[0-9a-f]{8}-[0-9a-f-]{27}", "sdk-·0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
    ("slack", r"xox[a-eoprs](?:-\w{1,400})?-[\w-]{8,400}|xapp-\d-[\w-]{8,400}|xoxe\.xox[bp]-[\w-]{8,400}", "xoxb-·123456789012-123456789012-" + _A[:24]),
    ("sendgrid", r"SG\.[\w-]{16,60}\.[\w-]{16,100}", "SG.·" + _A[:22] + "." + _A[22:65]),
    ("mailgun", r"key-[0-9a-z]{32}(?!\w)", "key-·" + _H[:32]),
    ("resend", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,60}", "re_·" + _A[:8] + "_" + _A[8:32]),
    ("twilio", r"(?:SK|AC)[0-9a-f]{32}(?::[0-9a-f]{32})?(?!\w)", "SK·" + _H[:32]),
    ("stripe", r"[spr]k_(?:live|test|prod)_\w{8,255}", "sk_live_·" + _A[:24]),
    ("webhook-secret", r"whsec_[\w+/=-]{16,200}", "whsec_·" + _A[:32]),
    ("square", r"sq0(?:atp|csp|idp)-[\w-]{20,100}|EAAA[\w-]{20,100}", "sq0atp-·" + _A[:22]),
    ("shopify", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,100}", "shpat_·" + _H[:32]),
    ("easypost", r"EZ[AT]K\w{40,100}", "EZAK·" + _A[:54]),
    ("shippo", r"shippo_\w{20,100}", "shippo_·live_" + _H[:40]),
    ("openai", r"sk-(?:ant-|proj-|svcacct-|or-v1-|admin-|lf-)?[\w-]{16,300}", "sk-proj-·" + _A[:48]),
    ("langfuse", r"pk-lf-[\w-]{16,100}", "pk-lf-·" + _H[:32]),
    ("groq", r"gsk_\w{20,100}", "gsk_·" + _A[:52]),
    ("xai", r"xai-\w{20,200}", "xai-·" + _A[:80]),
    ("replicate", r"r8_\w{20,100}", "r8_·" + _A[:37]),
    ("perplexity", r"pplx-\w{20,100}", "pplx-·" + _A[:48]),
    ("huggingface", r"hf_[A-Za-z0-9]{20,100}", "hf_·" + _A[:34]),
    ("jina", r"jina_\w{20,100}", "jina_·" + _A[:50]),
    ("fireworks", r"fw_\w{20,100}", "fw_·" + _A[:24]),
    ("together", r"tgp_v1_[\w-]{20,100}", "tgp_v1_·" + _A[:43]),
    ("grafana", r"glsa_\w{20,100}|glc_[\w+/=]{20,400}|eyJrIjoi[A-Za-z0-9]{60,400}={0,2}", "glsa_·" + _A[:32] + "_" + _H[:8]),
    ("sentry", r"sntr[ysu]{1,2}_[\w+/=-]{20,400}", "sntrys_·" + _A[:60]),
    ("posthog", r"ph[cx]_\w{20,100}", "phc_·" + _A[:43]),
    ("newrelic", r"NRAK-\w{20,100}", "NRAK-·" + _U[:27]),
    ("linear", r"lin_(?:api|oauth)_\w{20,100}", "lin_api_·" + _A[:40]),
    ("notion", r"ntn_\w{20,100}|secret_[A-Za-z0-9]{40,100}", "ntn_·" + _A[:46]),
    ("airtable", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{40,100}", "pat·" + _A[:14] + "." + _H[:64]),
    ("figma", r"figd_[\w-]{20,100}", "figd_·" + _A[:40]),
    ("postman", r"PMAK-[0-9a-f-]{20,100}", "PMAK-·" + _H[:24] + "-" + _H[24:58]),
    ("meta", r"EAAC[A-Za-z0-9]{20,400}|EAA[A-Z][A-Za-z0-9]{60,400}", "EAAC·" + _A[:60]),
    ("dropbox", r"sl\.[\w-]{60,400}", "sl.·" + _A[:100]),
    ("adafruit", r"aio_\w{28}", "aio_·" + _A[:28]),
    ("onepassword-secret-key", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", "A3-·AZ81KQ-P0VTN4LM7XW-RB2CD-EF9GH-J3KPQ"),
    ("octopus", r"API-[A-Z0-9]{25,36}(?!\w)", "API-·" + _U[:26]),
    ("scaleway", r"SCW[A-Z0-9]{17}(?!\w)", "SCW·" + _U[:17]),
    ("exoscale", r"EXO[0-9a-f]{24,26}(?!\w)", "EXO·" + _H[:24]),
    ("firecrawl", r"fc-[0-9a-f]{32}(?!\w)", "fc-·" + _H[:32]),
    ("mandrill", r"md-(?=[a-z_-]{0,22}[\dA-Z])[\w-]{22}(?![\w-])", "md-·" + _A[:22]),
    ("cloudflare-origin", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,200}", "v1.0-·" + _H[:24] + "-" + _H[:110]),
    ("github-app", r"v1\.[0-9a-f]{40}(?!\w)", "v1.·" + _H[:40]),
    ("dynatrace", r"dt0[a-z]\d\d\.[A-Z0-9]{8,24}\.[A-Z0-9]{32,100}", "dt0c01.·" + _U[:24] + "." + _U[:64]),
    ("yandex", r"t1\.[\w-]{8,200}={0,2}\.[\w-]{86}={0,2}", "t1.·" + _A[:20] + "." + _A[:86]),
    ("clickhouse", r"4b1d(?=[a-z0-9]{0,38}[A-Z])[A-Za-z0-9]{38}(?!\w)", "4b1d·" + _A[:38]),
    ("gocardless-sandbox", r"sandbox_[\w=-]{30,100}", "sandbox_·" + _A[:40]),
    ("harness", r"(?:sat|pat)\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}", "pat.·" + _A[:22] + "." + _A[:24] + "." + _A[:20]),
    ("mapbox", r"sk\.eyJ[\w-]{20,400}\.[\w-]{16,100}", "sk.·eyJ" + _A[:60] + "." + _A[:22]),
    ("okta", r"00(?=[\w-]{0,40}[a-z])(?=[\w-]{0,40}[A-Z])[\w-]{40}(?![\w-])", "00·" + _A[:40]),
    ("discord-user", r"mfa\.[\w-]{80,200}", "mfa.·" + _A[:84]),
    ("adyen", r"AQ(?:E[a-z]h|V(?!N))[\w+/=-]{40,400}", "AQEy·h" + _A[:60]),
    ("beamer", r"b_(?=[a-z_-]{0,20}[A-Z\d])[\w=-]{44}(?![\w-])", "b_·" + _A[:44]),
    ("razorpay", r"rzp_(?:live|test)_[A-Za-z0-9]{14,60}", "rzp_live_·" + _A[:14]),
    ("snyk", r"snyk_[us]at\.[0-9a-f]{8}\.[\w-]{20,200}", "snyk_uat.·" + _H[:8] + "." + _A[:40]),
    ("woocommerce", r"c[ks]_[0-9a-f]{40}(?!\w)", "ck_·" + _H[:40]),
    ("lob", r"(?:live|test)_(?:pub_)?(?:[0-9a-f]{31,100}|(?=[a-z]{0,40}[\dA-Z])[A-Za-z0-9=-]{30,100})", "live_·" + _H[:35]),
)  # fmt: skip
"""Id, form, example. A form begins at the start of a word or behind ``_``, ``.`` or ``-``."""

_STARTS: Final = {
    "amazon-access-key": "AK AS AG AI AR AB AC AN",
    "crates": "cr ci",
    "launchdarkly": "sd mo",
    "slack": "xo xa",
    "twilio": "SK AC",
    "stripe": "sk pk rk",
    "square": "sq EA",
    "grafana": "gl ey",
    "notion": "nt se",
    "harness": "sa pa",
    "woocommerce": "ck cs",
    "lob": "li te",
}
"""What the forms of an issuer begin with, where it is more than one."""


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _issuer(id_: str, form: str, example: str) -> Rule:
    start = example.partition("·")[0]
    return Rule(
        f"issuer-{id_}",
        "api_key",
        Needs(run=16, digits=1, starts=_STARTS.get(id_, start[:2])),
        form,
        _has_digit,
        examples=((f"using {example.replace('·', '')} here", "using [api_key] here"),),
        counterexamples=(f"the prefix {start} x is one",),
        description=f"Keys of {id_.replace('-', ' ').title()}.",
    )


def _prefixed(id_: str, prefix: str) -> Rule:
    return Rule(
        id_,
        "api_key",
        Needs(run=16, starts=prefix[:2]),
        re.escape(prefix) + _TAIL,
        examples=((f"using {prefix}{_A[:40]} here", "using [api_key] here"),),
        counterexamples=(f"the prefix {prefix} x is one",),
        description=f"Keys that begin with `{prefix}`.",
    )


def _named() -> list[tuple[str, str]]:
    """An id for each prefix; a number makes those unique that differ in marks only."""
    ids: dict[str, str] = {}
    for prefix in _PREFIXES.split():
        slug = "prefix-" + re.sub(r"[^a-z0-9]+", "-", prefix.lower()).strip("-")
        same = sum(
            one == slug or (one.startswith(f"{slug}-") and one[len(slug) + 1 :].isdigit()) for one in ids
        )
        ids[f"{slug}-{same + 1}" if same else slug] = prefix
    return list(ids.items())


_MIXED: Final = (
    r"(?=[A-Z0-9]{0,40}[a-z])(?=[a-z0-9]{0,40}[A-Z])(?=(?:[A-Za-z]{0,40}\d){2})[A-Za-z0-9]{32,4000}(?!\w)"
)

RULES: Final = (
    *(_issuer(*form) for form in _FORMS),
    *(_prefixed(id_, prefix) for id_, prefix in _named()),
    Rule(
        "age-secret-key",
        "private_key",
        Needs(run=16, starts="AG"),
        r"AGE-SECRET-KEY-1[0-9A-Z]{40,100}",
        examples=(("AGE-SECRET-KEY-1" + _U[:58], "[private_key]"),),
        counterexamples=("AGE-SECRET-KEY-1 begins one",),
        description="Keys of age.",
    ),
    Rule(
        "google-oauth-refresh",
        "api_key",
        Needs(marks="//", digits=2, run=16, template=r"0//0[\w?-]{20}"),
        r"(?<![\w/])1//0[\w-]{20,400}",
        examples=((f"refresh 1//0{_A[:40]} used", "refresh [api_key] used"),),
        counterexamples=("1//0 is a fraction",),
        description="Google's refresh tokens.",
    ),
    Rule(
        "telegram-bot",
        "api_key",
        Needs(marks=":", digits=8, run=34, parts=(":aa",), template=r"0{8}:AA[\w?-]{32}"),
        r"(?<!\d)\d{8,10}:AA[\w-]{32,33}(?![\w-])",
        examples=(
            (
                f"https://api.telegram.org/bot1234567890:AA{_A[:33]}/send",
                "https://api.telegram.org/bot[api_key]/send",
            ),
        ),
        counterexamples=("12345678:AA",),
        description="Bots of Telegram, whose keys are addresses, too.",
    ),
    Rule(
        "braintree",
        "api_key",
        Needs(marks="$$", words="token"),
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{8,32}\$[0-9a-f]{32}",
        examples=(
            (f"using access_token$production${_A[:16].lower()}${_H[:32]} here", "using [api_key] here"),
        ),
        counterexamples=("access_token$production",),
        description="Keys of Braintree.",
    ),
    Rule(
        "asana",
        "api_key",
        Needs(digits=14, forms=("000000000000:",), template=r"0{12}:[0a-f]{32}"),
        r"(?<![\w/.])[012]/\d{12,17}(?:/\d{12,17})?:[0-9a-f]{32}(?![0-9a-f])",
        examples=((f"using 1/1234567890123456:{_H[:32]} here", "using [api_key] here"),),
        counterexamples=("1/2:3",),
        description="Keys of Asana.",
    ),
    Rule(
        "entra-client-secret",
        "api_key",
        Needs(marks="~", parts=("q~",), template=r"0Q~[\w?~.-]{31}"),
        r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}",
        examples=((f"using aZ88Q~{_A[:34]} here", "using [api_key] here"),),
        counterexamples=("Q~ is a mark",),
        description="Client secrets of Microsoft Entra.",
    ),
    Rule(
        "meta-app-token",
        "api_key",
        Needs(marks="|", digits=15, template=r"0{15}\|[\w?-]{27}"),
        r"(?<!\d)\d{15,16}\|[\w-]{27,40}(?!\w)",
        examples=((f"using 123456789012345|{_A[:27]} here", "using [api_key] here"),),
        counterexamples=("1234567890|12",),
        description="App tokens of Meta.",
    ),
    Rule(
        "salesforce-session",
        "api_key",
        Needs(marks="!", template=r"00D[A-Za-z0]{12,15}!"),
        r"(?<!\w)00D[A-Za-z0-9]{12,15}![\w.]{60,400}",
        examples=((f"using 00D5g00000aZ81k!AQ{_A[:80]} here", "using [api_key] here"),),
        counterexamples=("00D!",),
        description="Sessions of Salesforce.",
    ),
    Rule(
        "openshift-token",
        "api_key",
        Needs(marks="~", words="sha"),
        r"sha256~[\w-]{43}(?![\w-])",
        examples=((f"using sha256~{_A[:43]} here", "using [api_key] here"),),
        counterexamples=("sha256~short",),
        description="Tokens of OpenShift.",
    ),
    Rule(
        "mailchimp",
        "api_key",
        Needs(run=35, digits=2, marks="-", parts=("-us",), template=r"[0a-f]{32}-us0"),
        r"(?<![A-Za-z0-9])[0-9a-f]{32}-us\d{1,2}(?!\w)",
        examples=((f"using {_H[:32]}-us14 here", "using [api_key] here"),),
        counterexamples=("region-us14",),
        description="Keys of Mailchimp.",
    ),
    Rule(
        "terraform-cloud",
        "api_key",
        Needs(run=50, digits=1, marks="..", parts=(".atlasv0.",)),
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,200}",
        examples=((f"using {_A[:14]}.atlasv1.{_A[:60]} here", "using [api_key] here"),),
        counterexamples=("x.atlasv1.y",),
        description="Keys of Terraform Cloud.",
    ),
    Rule(
        "discord-bot",
        "api_key",
        Needs(marks="..", digits=1, run=55, template=r"[MNO][A-Za-z0]{23,25}\.[\w?-]{6}\.[\w?-]{27}"),
        r"(?<![A-Za-z0-9])[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,60}",
        examples=((f"using M{_A[:23]}.{_A[:6]}.{_A[:27]} here", "using [api_key] here"),),
        counterexamples=("Module.loader.example",),
        description="Bots of Discord.",
    ),
    Rule(
        "maxmind",
        "api_key",
        Needs(run=40, digits=1, marks="__", parts=("_mmk",), template=r"[A-Za-z0]{29}_mmk"),
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)",
        examples=((f"using {_A[:6]}_{_A[:29]}_mmk here", "using [api_key] here"),),
        counterexamples=("a_mmk",),
        description="Keys of MaxMind.",
    ),
    Rule(
        "newrelic-legacy",
        "api_key",
        Needs(run=40, digits=6, parts=("nral",), template=r"[0a-f]{36}NRAL"),
        r"(?<![A-Za-z0-9])[0-9a-f]{36}NRAL(?!\w)",
        examples=((f"using {_H[:36]}NRAL here", "using [api_key] here"),),
        counterexamples=("NRAL",),
        description="Older keys of New Relic.",
    ),
    Rule(
        "unlisted-issuer",
        "secret",
        Needs(run=32, digits=2, template=r"[_-][A-Za-z0]{32}"),
        r"(?<![A-Za-z0-9])(?!sha\d{1,3}|md5|blake|integrity)(?:[A-Za-z][A-Za-z0-9]{1,14}(?:[_.-][A-Za-z0-9]{1,14}){0,3}?|\d{15,20})[_-]"
        + _MIXED,
        examples=((f"using acme_{_A[:40]} here", "using [secret] here"),),
        counterexamples=(f"cache acme-{_H[:40]} kept",),
        description="A key of an issuer that no list knows: a short prefix, then so many letters and digits of every kind that no "
        "checksum, identifier or name is like it.",
    ),
    Rule(
        "unlisted-key",
        "secret",
        Needs(
            run=16,
            digits=1,
            words="sk key pat secret token live prod api apikey",
            template=r"(?:sk|key|pat|secret|token|live|prod|api|apikey)[_-][A-Za-z0]{22}",
        ),
        r"(?<![A-Za-z0-9])(?:[a-z][a-z0-9]{0,14}[_-]){0,2}(?:sk|key|pat|secret|token|live|prod|api|apikey)[_-]"
        r"(?=[A-Za-z0-9]{0,60}\d)(?:[0-9a-f]{32,4000}|(?=[a-z0-9]{0,24}[A-Z])[A-Za-z0-9]{22,4000})(?!\w)",
        examples=((f"using acme_api_{_A[:24]} here", "using [secret] here"),),
        counterexamples=("test_live_session_2026_recovery",),
        description="A shorter one whose prefix says that it is a key.",
    ),
)
