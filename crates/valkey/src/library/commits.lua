-- Marks. 'F': no mark but a fence, and its epoch. 'V': expiry; the caller was erased. 'M': expiry, identity, whether it
-- was the first, whether it has a row, interaction, row, and then what only the client reads.

local function mark_stands(mark, now)
  return mark and mark:sub(1, 1) ~= 'F' and later(mark:sub(2, 9), now)
end

local function row_of(base, mark)
  if mark:sub(1, 1) == 'M' and mark:sub(43, 43) == '\1' then
    return call('HGET', base .. 'r' .. mark:sub(44, 59), mark:sub(60, 75))
  end
  return false
end

-- What stands is written once more, so that a WAIT behind this call covers it.
local function before(base, key, mark, touch)
  if touch == '1' then
    call('SET', key, mark, 'KEEPTTL')
  end
  return {'before', mark, row_of(base, mark)}
end

local function empty_mark(base, conversation, expires, ttl)
  call('SET', base .. 'm' .. conversation, 'V' .. expires, 'EX', ttl)
  call('ZADD', base .. 'V', score(expires), conversation)
end

-- The interaction that stands after a commit, whether it is the new one, and the row that was added.
local function interact(base, caller, old, now, id, began, expires, ttl, record, stands_after, row, row_began, details)
  local standing, first = old, '\0'
  if not (old and later(old:sub(25, 32), now) and later(old:sub(17, 24), stands_after)) then
    standing, first = id .. began .. expires .. record, '\1'
    if old then
      local former = (call('HGET', caller, 'o') or '') .. old:sub(1, 16) .. old:sub(25, 32)
      local kept = {}
      for at = 1, #former, 24 do
        if former:sub(at, at + 15) ~= id then kept[#kept + 1] = former:sub(at, at + 23) end
      end
      call('HSET', caller, 'o', table.concat(kept))
    end
    call('HSETEX', caller, 'EX', ttl, 'FIELDS', '1', 'n', standing)
    call('ZADD', base .. 'R', score(expires), id)
  end
  local rows = base .. 'r' .. standing:sub(1, 16)
  local lives = call('TTL', rows)
  call('HSET', rows, row, table.concat({
    standing:sub(25, 32), row_began, first, standing:sub(17, 24), struct.pack('>I4', #details), details,
    standing:sub(33)
  }))
  if first == '\1' then
    outlive(rows, lives, ttl)
  elseif lives == -2 then
    local left = call('HTTL', caller, 'FIELDS', '1', 'n')[1]
    if left > 0 then call('EXPIRE', rows, left) end
  end
  return standing, first
end

local function commit(keys, args)
  local base = keys[1]
  local now, conversation, identity, epoch, erasures, identifier = unpack(args, 1, 6)
  local mark_expires, mark_ttl, report, touch, first_due, ttl = unpack(args, 7, 12)
  local mark_key = base .. 'm' .. conversation
  local mark = call('GET', mark_key)
  if mark_stands(mark, now) then
    return before(base, mark_key, mark, touch)
  end
  if mark and mark:sub(1, 1) == 'F' and not above('\0\0\0\0' .. epoch, '\0\0\0\0' .. mark:sub(2, 5)) then
    return {'fenced', mark:sub(2, 5)}
  end

  local remembered = call('HGETALL', base .. 'e' .. identity)
  local erased, left_alone = {}, {}
  for at = 1, #remembered, 2 do
    local name, what = remembered[at], remembered[at + 1]
    if above(what:sub(1, 8), erasures) and later(what:sub(9, 16), now) then
      if name == 'a' then
        empty_mark(base, conversation, mark_expires, mark_ttl)
        return {'everything'}
      end
      erased[#erased + 1] = name:sub(2)
      left_alone['f' .. name:sub(2)] = true
    end
  end

  local caller = base .. 'c' .. identity
  local lives = call('TTL', caller)
  local held = call('HMGET', caller, 'u', 'n')
  call('HSET', caller, 'i', identifier, 'u', latest(mark_expires, held[1]))
  call('HSETEX', caller, 'EX', mark_ttl, 'FIELDS', '1', 'm' .. conversation, mark_expires)

  local standing, first, row = false, '\0', '\0' .. string.rep('\0', 32)
  local at = 14
  if args[13] == '1' then
    standing, first = interact(base, caller, held[2], now, unpack(args, 14, 22))
    row = '\1' .. standing:sub(1, 16) .. args[20]
    at = 23
  end

  while args[at] do
    local group = {caller, 'EX', args[at], 'FIELDS', '0'}
    local last = at + 1 + 2 * tonumber(args[at + 1])
    for position = at + 2, last, 2 do
      if not left_alone[args[position]] then
        group[#group + 1] = args[position]
        group[#group + 1] = args[position + 1]
      end
    end
    if #group > 5 then
      group[5] = (#group - 5) / 2
      call('HSETEX', unpack(group))
    end
    at = last + 1
  end

  local parts = {'M', mark_expires, identity, first, row, struct.pack('>I2', #erased)}
  for _, key in ipairs(erased) do
    parts[#parts + 1] = struct.pack('>I2', #key) .. key
  end
  parts[#parts + 1] = report
  call('SET', mark_key, table.concat(parts), 'EX', mark_ttl)
  outlive(caller, lives, ttl)
  call('ZADD', base .. 'C', 'LT', first_due, identity)
  return {'now', first, standing, erased}
end

-- Makes it impossible to commit a conversation here up to an epoch, unless it is committed here already. Epoch 0 only
-- asks whether it is.
local function fence(keys, args)
  local base = keys[1]
  local now, conversation, epoch, ttl, touch = unpack(args)
  local key = base .. 'm' .. conversation
  local mark = call('GET', key)
  if mark_stands(mark, now) then
    return before(base, key, mark, touch)
  end
  if mark and mark:sub(1, 1) == 'F' and above('\0\0\0\0' .. mark:sub(2, 5), '\0\0\0\0' .. epoch) then
    epoch = mark:sub(2, 5)
  end
  if epoch ~= '\0\0\0\0' then
    call('SET', key, 'F' .. epoch, 'EX', ttl)
  end
  return {'fenced', epoch}
end

local function mark(keys, args)
  local found = call('GET', keys[1] .. 'm' .. args[1])
  if not found then return {} end
  return {found, row_of(keys[1], found)}
end

-- Pointers: bucket, epoch, and whether the commit ends the session.

-- Claims a conversation, unless somebody has. Answers with what stands.
local function claim(keys, args)
  local conversation, wanted, ends, ttl, due_at = unpack(args)
  local key = keys[1] .. 'p' .. conversation
  local stands = call('GET', key)
  if not stands then
    call('SET', key, wanted, 'EX', ttl)
    return wanted
  end
  if ends == '1' then
    stands = stands:sub(1, 6) .. '\1'
  end
  local lives = call('TTL', key)
  call('SET', key, stands, 'KEEPTTL')
  outlive(key, lives, ttl)
  if lives == -1 then
    -- It was restored, and has to outlive the mark that may come now.
    call('ZADD', keys[1] .. 'P', 'GT', due_at, conversation)
  end
  return stands
end

-- Moves a pointer that is still the one that was seen.
local function move(keys, args)
  local conversation, seen, wanted, ttl = unpack(args)
  local key = keys[1] .. 'p' .. conversation
  local stands = call('GET', key)
  if stands and stands:sub(1, 6) == seen:sub(1, 6) then
    local lives = call('TTL', key)
    call('SET', key, wanted:sub(1, 6) .. stands:sub(7), 'KEEPTTL')
    outlive(key, lives, ttl)
  end
  return true
end
