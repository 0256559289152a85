#!lua name=LIBRARY
-- What has to happen at once in one slot. `docs/valkey.md` says what is in which key.
--
-- The first declared key of every function is the name of a bucket, which is no key itself: it leads to the slot, and
-- all keys of the bucket begin with it.
--
-- Times and counters are 8 bytes, big-endian: the numbers of Lua lose digits above 2^53, and its order of texts
-- depends on the server's locale.

-- There is no `redis.call` yet while the library is loaded.
local function call(...)
  return redis.call(...)
end

-- Whether one time is later than another.
local function later(one, other)
  local one_high, one_low = struct.unpack('>i4I4', one)
  local other_high, other_low = struct.unpack('>i4I4', other)
  return one_high > other_high or (one_high == other_high and one_low > other_low)
end

-- Whether one counter is above another.
local function above(one, other)
  local one_high, one_low = struct.unpack('>I4I4', one)
  local other_high, other_low = struct.unpack('>I4I4', other)
  return one_high > other_high or (one_high == other_high and one_low > other_low)
end

local function latest(one, other)
  if one and (not other or later(one, other)) then return one end
  return other
end

local function earliest(one, other)
  if one and (not other or later(other, one)) then return one end
  return other
end

-- A time as a score of a sorted set, in which times that no clock will reach are all alike.
local function score(time)
  local high, low = struct.unpack('>i4I4', time)
  if high >= 2097152 then return '+inf' end
  if high < -2097152 then return '-inf' end
  return string.format('%.0f', high * 4294967296 + low)
end

-- Makes a key live for some seconds at least. `before` is how long it had to live before it was written to: a key that
-- was restored lives until it is swept.
local function outlive(key, before, ttl)
  if before == -2 or (before >= 0 and before < tonumber(ttl)) then
    call('EXPIRE', key, ttl)
  end
end

-- A WAIT covers what the connection has written before it. A call that changes nothing because another has done it
-- already writes this, so that what the other did is waited for too.
local function cover(base, touch)
  if touch == '1' then call('SET', base .. 'w', '', 'EX', 60) end
end

-- The members of a sorted set with a score up to a time: at most `limit` of them.
local function due(index, now, limit)
  return call('ZRANGE', index, '-inf', score(now), 'BYSCORE', 'LIMIT', '0', limit)
end
