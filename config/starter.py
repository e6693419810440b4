"""The configuration a newcomer starts from: commented, and valid as it is."""

from __future__ import annotations

from typing import Final

_HUB: Final = """\
# Trunkline's configuration. `trunkline check` says what is wrong with it, line by line.
#
# ${NAME} reads an environment variable, {file: PATH} reads a file; unknown keys are refused.
# Relative paths start from the folder that contains this `config` folder.
# `trunkline config schema` prints a JSON Schema that editors understand.

hub:
  database: sqlite:///data/hub.db          # or postgresql://user@host/db for many processes
  listen: 127.0.0.1:8700                   # webhooks, API and console
  # public_url: https://hub.example.com    # where vendors reach this hub; needed for webhooks
  encryption_key: {file: data/hub.key}     # protects personal data; made on first start. Back it up.
  # mappers: 0                             # extra processes that map payloads
  # workers: 1                             # inbox workers in one process
  # webhook_max_bytes: 5242880             # larger webhook bodies are refused with 413
  # retention: {payloads: 30d, attempts: 90d, personal: 365d}
  # log: {format: json, level: info}       # format json or console

# Carriers the hub does not know, or that a channel calls otherwise. Channels without a name for one are told its own.
# carriers:
#   city_bikes: {name: City Bikes, tracking_url: "https://bikes.example/{number}", ebay: CityBikes}

# The places where your stock lies. Names are yours.
locations:
  main: {name: Main warehouse, time_zone: UTC}

# One entry per seller's login. Take one, remove the `# `, put its secrets into the environment
# (see .env.example), then run `trunkline check`.
accounts:
  # shop-us:
  #   connector: shopify
  #   credentials: {access_token: ${SHOP_TOKEN}, webhook_secret: ${SHOP_SECRET}}
  #   options: {shop: example.myshopify.com}
  #   locations: {"gid://shopify/Location/1": main}    # the channel's location: ours
  #   poll: {orders: 60s, stock: 15m}
  #   availability: {locations: [main], buffer: 2, share: 1.0, cap: 500, minimum: 1}
  #   routing: [main]                                  # where its orders may ship from, best first
  #   stock_source: false                              # true: this shop's counts correct our stock
  #   mode: shadow                                     # live | shadow (send nothing) | paused
  #
  # walmart-us:
  #   connector: walmart
  #   credentials:
  #     client_id: ${WALMART_CLIENT_ID}
  #     client_secret: ${WALMART_CLIENT_SECRET}
  #     webhook_secret: ${WALMART_WEBHOOK_SECRET}
  #   options: {market: us}
  #   availability: {locations: [main], buffer: 1}
  #   poll: {orders: 60s}
  #   mode: shadow
  #
  # ebay-us:
  #   connector: ebay
  #   credentials:
  #     client_id: ${EBAY_CLIENT_ID}
  #     client_secret: ${EBAY_CLIENT_SECRET}
  #     refresh_token: ${EBAY_REFRESH_TOKEN}
  #     verification_token: ${EBAY_VERIFICATION_TOKEN}  # 32 to 80 letters and digits of your choice
  #     # EU and UK sellers sign refunds and cancellations; both come from eBay's Key Management API:
  #     # signature_private_key: ${EBAY_SIGNATURE_PRIVATE_KEY}
  #     # signature_jwe: ${EBAY_SIGNATURE_JWE}
  #   options: {marketplace: EBAY_US, alert_email: ops@example.com, refresh_token_expires_on: "2028-05-01"}
  #   availability: {locations: [main], buffer: 1}
  #   mode: shadow
  #
  # amazon-us:
  #   connector: amazon
  #   credentials:
  #     client_id: ${AMAZON_CLIENT_ID}
  #     client_secret: ${AMAZON_CLIENT_SECRET}
  #     refresh_token: ${AMAZON_REFRESH_TOKEN}
  #     aws_access_key_id: ${AMAZON_QUEUE_KEY_ID}         # for the queue; without the two, AWS's default chain is asked
  #     aws_secret_access_key: ${AMAZON_QUEUE_KEY}
  #   options:
  #     seller_id: A3EXAMPLESELLR
  #     marketplace_ids: [ATVPDKIKX0DER]
  #     queue_url: https://sqs.us-east-1.amazonaws.com/123456789012/trunkline   # without it orders are polled only
  #     secret_issued_on: "2026-11-01"                    # Amazon wants a new client secret every 180 days
  #   availability: {locations: [main], buffer: 2}        # orders arrive in seconds, or minutes without the queue
  #   mode: shadow
  #
  # big-box:                                            # one account per trading partner, by EDI
  #   connector: edi
  #   options:
  #     partner: config/partners/big-box.yaml           # or a shipped example: big-box, supplier, grocery-warehouse, …
  #     transport:                                      # one of folder, sftp and as2
  #       sftp:
  #         host: sftp.example.com
  #         user: hub
  #         host_keys: ["SHA256:…"]                     # pinned: what the server shows must be among them
  #         inbox: out                                  # names as the partner's server has them
  #         archive: out/taken
  #         outbox: in
  #   credentials: {password: ${BIG_BOX_PASSWORD}}
  #   poll: {files: 60s}
  #   mode: shadow

# The catalogue: one line per SKU, CSV or JSON lines.
skus: skus.csv
"""

_SKUS: Final = """\
sku,gtin,title,brand,tags,packs,components,aliases
MUG,,Stoneware mug,Example,kitchen;gift,CA:12;PL:480,,walmart-us:WM-MUG
BOX,,Gift box,Example,packaging,,,
MUG-SET,,Two mugs in a gift box,Example,kitchen;gift,,MUG:2;BOX:1,
"""

_ENV: Final = """\
# Copy to .env, fill in, and load it before a command: set -a; . ./.env; set +a
# Keep .env out of version control.
SHOP_TOKEN=
SHOP_SECRET=
WALMART_CLIENT_ID=
WALMART_CLIENT_SECRET=
WALMART_WEBHOOK_SECRET=
EBAY_CLIENT_ID=
EBAY_CLIENT_SECRET=
EBAY_REFRESH_TOKEN=
EBAY_VERIFICATION_TOKEN=
AMAZON_CLIENT_ID=
AMAZON_CLIENT_SECRET=
AMAZON_REFRESH_TOKEN=
AMAZON_QUEUE_KEY_ID=
AMAZON_QUEUE_KEY=
BIG_BOX_PASSWORD=
"""


def starter() -> dict[str, str]:
    """Text by path relative to the new folder; it passes `trunkline check --offline` unchanged."""
    return {"config/hub.yaml": _HUB, "skus.csv": _SKUS, ".env.example": _ENV}
