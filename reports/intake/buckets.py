"""Token buckets in Redis or Valkey: how much one sender may bring before something is asked of it.

A bucket holds `capacity` tokens and fills up within `fill_seconds`; each report takes one. Looking and taking are one
atomic script, by the server's own clock. Where the broker is away everything passes: a bucket protects the counts,
never the intake. It costs CONNECT_SECONDS at the most, and then nobody asks for AWAY_SECONDS.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 0.05
AWAY_SECONDS: Final = 5.0
PREFIX: Final = "outcry:"
MOST_REMEMBERED: Final = 10_000  # things done once, while the broker is away

_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local cost = tonumber(ARGV[1])
local may_owe = ARGV[2 * #KEYS + 2] == '1'
local answers = {}
for i, key in ipairs(KEYS) do
  local capacity, rate = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local held = redis.call('HMGET', key, 'tokens', 'at')
  local since = math.max(0, now - (tonumber(held[2]) or now))
  local tokens = math.min(capacity, (tonumber(held[1]) or capacity) + since * rate)
  local wait = 0
  if may_owe or tokens >= cost then tokens = tokens - cost else wait = (cost - tokens) / rate end
  if cost > 0 then
    redis.call('HSET', key, 'tokens', tostring(tokens), 'at', tostring(now))
    redis.call('PEXPIRE', key, math.ceil(capacity / rate * 1000) + 1000)
  end
  answers[2 * i - 1], answers[2 * i] = tostring(wait), tostring(tokens)
end
return answers
"""

_lock = threading.Lock()
_client: redis.Redis | None = None
_away_until = 0.0
_done_here: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a sender may bring: so many at once, and as many again within `fill_seconds`."""

    name: str
    capacity: int
    fill_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Level:
    """How a bucket stands: the seconds until what was asked for would be there (0: it was taken), and what is left."""

    wait_seconds: float
    tokens: float


def take(buckets: Sequence[Bucket], *, cost: int = 1, may_owe: bool = False) -> list[Level]:
    """Take tokens from each bucket that holds enough; with a cost of 0 only look.

    With `may_owe` they are taken from each: where too few are there, the bucket is below zero until it fills up.
    Returns full buckets where the broker is away.
    """
    full = [Level(0.0, float(bucket.capacity)) for bucket in buckets]
    if not buckets or _is_away():
        return full
    arguments: list[float | int] = [cost]
    for bucket in buckets:
        arguments += [bucket.capacity, bucket.capacity / bucket.fill_seconds]
    arguments.append(int(may_owe))
    try:
        keys = [f"{PREFIX}bucket:{bucket.name}" for bucket in buckets]
        answer = _the_client().eval(_SCRIPT, len(keys), *keys, *map(str, arguments))
    except (redis.RedisError, OSError) as error:
        _went_away(error)
        return full
    numbers = [float(word) for word in answer]
    return [Level(numbers[2 * i], numbers[2 * i + 1]) for i in range(len(buckets))]


def is_first_time(name: str, *, keep_seconds: float) -> bool:
    """Tell whether this is done for the first time, and remember it. While the broker is away each process does."""
    if not _is_away():
        try:
            return bool(_the_client().set(f"{PREFIX}once:{name}", "1", nx=True, ex=max(int(keep_seconds), 1)))
        except (redis.RedisError, OSError) as error:
            _went_away(error)
    now = time.monotonic()
    with _lock:
        if len(_done_here) >= MOST_REMEMBERED:
            for known in [known for known, until in _done_here.items() if until < now] or list(_done_here)[:1_000]:
                del _done_here[known]
        if _done_here.get(name, 0.0) > now:
            return False
        _done_here[name] = now + keep_seconds
        return True


def forget_broker() -> None:
    """Ask the broker anew, and forget what was done while it was away: for tests."""
    global _client, _away_until
    with _lock:
        if _client is not None:
            _client.close()
        _client, _away_until = None, 0.0
        _done_here.clear()


def _the_client() -> redis.Redis:
    global _client
    with _lock:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=CONNECT_SECONDS,
                socket_connect_timeout=CONNECT_SECONDS,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        return _client


def _is_away() -> bool:
    return time.monotonic() < _away_until


def _went_away(error: Exception) -> None:
    global _away_until
    _away_until = time.monotonic() + AWAY_SECONDS
    logger.info("The broker does not answer (%s); limits are off for %.0f s.", type(error).__name__, AWAY_SECONDS)
