"""The sandbox kit: what every vendor fake shares. See DESIGN.md on bad manners.

A sandbox is built from the vendor's published contract, never from what our client happens to
send. It is an aiohttp application on a loopback port; it holds listings, stock and orders the way
the vendor would, signs its webhooks the way the vendor signs, and misbehaves on request.
"""

from __future__ import annotations
