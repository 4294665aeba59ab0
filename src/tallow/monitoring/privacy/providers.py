"""The forms of keys by who issues them, from the issuers' documents and public secret scanners."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.prefixes import FORMS

# The two characters a form can begin with, and the form.
_FORMS: Final = (
    # Clouds
    (
        "AK AS AG AI AR AB AC AN",
        r"A(?:KIA|SIA|GPA|IDA|ROA|BIA|CCA|NPA|IPA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),  # Amazon
    ("am", r"amzn\.mws\.[0-9a-f-]{30,}"),
    ("AI", r"AIza[\w-]{30,}"),  # Google
    ("ya", r"ya29\.[\w.-]{16,}"),
    ("GO", r"GOCSPX-[\w-]{20,}"),
    ("LT", r"LTAI[A-Za-z0-9]{12,24}"),  # Alibaba
    ("AK", r"AKID[A-Za-z0-9]{13,40}"),  # Tencent
    ("do", r"do[por]_v1_[0-9a-f]{32,}"),  # DigitalOcean
    ("HR", r"HRKU-[\w-]{20,}"),  # Heroku
    ("rn", r"rnd_\w{20,}"),  # Render
    ("nf", r"nfp_\w{20,}"),  # Netlify
    ("ve", r"vercel_\w{20,}"),
    ("fo", r"fo1_[\w-]{20,}"),  # Fly
    ("Fl", r"FlyV1\s\w{16,}"),
    ("sb", r"sbp_[0-9a-f]{40}"),  # Supabase
    ("hv", r"hv[sbr]\.[\w-]{20,}"),  # Vault
    ("s.", r"s\.[A-Za-z0-9]{24}(?!\w)"),
    ("pu", r"pul-[0-9a-f]{40}"),  # Pulumi
    ("da", r"dapi[0-9a-f]{32}"),  # Databricks
    ("dp", r"dp\.(?:pt|st|ct|sa)\.[\w.]{20,}"),  # Doppler
    ("ts", r"tskey-[\w-]{16,}"),  # Tailscale
    ("ps", r"pscale_(?:tkn|pw|oauth)_[\w.-]{20,}"),  # PlanetScale
    ("op", r"ops_eyJ[\w-]{20,}"),  # 1Password
    # Code and packages
    ("gh gi", r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"),
    ("gl", r"gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|imt|oas)-[\w\-.]{16,}"),  # GitLab
    ("GR", r"GR1348941[\w-]{16,}"),
    ("np", r"npm_\w{20,}"),
    ("py", r"pypi-[\w-]{16,}"),
    ("ru", r"rubygems_[0-9a-f]{32,}"),
    ("cr", r"crates_\w{20,}"),
    ("oy", r"oy2[a-z0-9]{43}"),  # NuGet
    ("dc", r"dckr_(?:pat|oat)_[\w-]{16,}"),  # Docker
    ("AK", r"AKCp[A-Za-z0-9]{30,}"),  # Artifactory
    ("sg", r"sgp_\w{20,}"),  # Sourcegraph
    ("CC", r"CCIPAT_\w{20,}"),  # CircleCI
    ("bk", r"bkua_\w{20,}"),  # Buildkite
    ("AT", r"AT[AC]TT3[\w=-]{20,}"),  # Atlassian
    ("sd", r"sdk-[0-9a-f]{8}-[0-9a-f-]{27}"),  # LaunchDarkly
    # Talk and mail
    ("xo xa", r"xox[a-eoprs](?:-\w+)?-[\w-]{8,}|xapp-\d-[\w-]{8,}|xoxe\.xox[bp]-[\w-]{8,}"),  # Slack
    ("SG", r"SG\.[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
    ("ke", r"key-[0-9a-z]{32}(?!\w)"),  # Mailgun
    ("xk", r"xkeysib-[\w-]{20,}"),  # Brevo
    ("re", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}"),  # Resend
    ("SK AC", r"(?:SK|AC)[0-9a-f]{32}(?::[0-9a-f]{32})?(?!\w)"),  # Twilio
    # Money
    ("sk pk rk", r"[spr]k_(?:live|test|prod)_\w{8,}"),  # Stripe
    ("wh", r"whsec_[\w+/=-]{16,}"),
    ("sq", r"sq0(?:atp|csp|idp)-[\w-]{20,}"),  # Square
    ("EA", r"EAAA[\w-]{20,}"),
    ("sh", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}"),  # Shopify
    ("EZ", r"EZ[AT]K\w{40,}"),  # EasyPost
    ("sh", r"shippo_\w{20,}"),
    # Models
    ("sk", r"sk-(?:ant-|proj-|svcacct-|or-v1-|admin-|lf-)?[\w-]{16,}"),  # OpenAI, Anthropic and others
    ("pk", r"pk-lf-[\w-]{16,}"),
    ("gs", r"gsk_\w{20,}"),  # Groq
    ("xa", r"xai-\w{20,}"),
    ("r8", r"r8_\w{20,}"),  # Replicate
    ("pp", r"pplx-\w{20,}"),  # Perplexity
    ("hf", r"hf_[A-Za-z0-9]{20,}"),  # Hugging Face
    ("ji fw tg", r"jina_\w{20,}|fw_\w{20,}|tgp_v1_[\w-]{20,}"),
    # Tools
    ("gl", r"glsa_\w{20,}|glc_[\w+/=]{20,}"),  # Grafana
    ("sn", r"sntr[ysu]{1,2}_[\w+/=-]{20,}"),  # Sentry
    ("ph", r"ph[cx]_\w{20,}"),  # PostHog
    ("NR", r"NRAK-\w{20,}"),  # New Relic
    ("li", r"lin_(?:api|oauth)_\w{20,}"),  # Linear
    ("nt", r"ntn_\w{20,}"),  # Notion
    ("se", r"secret_[A-Za-z0-9]{40,}"),
    ("pa", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}"),  # Airtable
    ("fi", r"figd_[\w-]{20,}"),  # Figma
    ("PM", r"PMAK-[0-9a-f-]{20,}"),  # Postman
    ("EA", r"EAAC[A-Za-z0-9]{20,}"),  # Meta
    ("sl", r"sl\.[\w-]{60,}"),  # Dropbox
    ("ai", r"aio_\w{28}"),  # Adafruit
    ("AG", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}"),
)


def _by_start() -> dict[str, re.Pattern[str]]:
    forms = {start: list(of) for start, of in FORMS.items()}
    for starts, form in _FORMS:
        for start in starts.split():
            forms.setdefault(start, []).append(form)
    return {start: re.compile("|".join(of)) for start, of in forms.items()}


BY_START: Final = _by_start()
"""The forms that can begin with two characters, as one pattern."""
TAILED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9a-f]{32}-us\d{1,2}(?!\w)|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}"
    r"|[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)|[0-9a-f]{36}NRAL(?!\w))"
)
"""Mailchimp's, Terraform's, Discord's, MaxMind's and New Relic's, which begin like anything."""
ENDS: Final = frozenset({"_mmk", "NRAL"})
"""What some of these end with."""
COLON: Final = re.compile(r"\d{8,10}:AA[\w-]{32,33}(?![\w-])")
"""Telegram's bots, whose keys are addresses too: ``/bot123456789:AA…``."""
REFRESH: Final = re.compile(r"1//0[\w-]{20,}")
"""Google's refresh tokens."""
WEBHOOK: Final = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{20,}|(?<=/api/webhooks/)\d{10,}/[\w-]{20,}"
    r"|(?<=webhook\.office\.com/)\S{20,}"
)
"""Addresses that anybody who knows them can post to."""
MARKED: Final = tuple(
    (mark, re.compile(form))
    for mark, form in {
        "access_token$": r"access_token\$(?:production|sandbox)\$[0-9a-z]{8,32}\$[0-9a-f]{32}",  # Braintree
        "/1": r"[012]/(?<![\w/]./)\d{12,17}(?:/\d{12,17})?:[0-9a-f]{32}(?![0-9a-f])",  # Asana
        "Q~": r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}",  # Microsoft Entra
        "|": r"\d(?<!\d\d)\d{14,15}\|[\w-]{27,40}(?!\w)",  # Meta
        "!A": r"00D(?<!\w00D)[A-Za-z0-9]{12,15}![\w.]{60,}",  # Salesforce
        "sha256~": r"sha256~[\w-]{43}(?![\w-])",  # OpenShift
    }.items()
)
"""Marks that other keys do not hold, and the forms of those that do."""
